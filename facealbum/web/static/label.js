// Answering by keyboard: a key presses what carries it as data-key.  Every answer can be given without this, too.

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const typing = event.target.closest("textarea, select, input:not([type=checkbox]):not([type=radio])");
  const pressed = typing ? null : document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!pressed) return;
  event.preventDefault();
  pressed.click();
});
