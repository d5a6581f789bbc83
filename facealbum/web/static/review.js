// Keys for the review page.  Without this file the same forms work by their buttons.

const keys = { y: "yes", n: "no", s: "no", x: "unsure" };
let busy = false;

function loadAhead() {
  for (const address of (document.querySelector("form.review")?.dataset.ahead ?? "").split(" ").filter(Boolean)) {
    new Image().src = address;
  }
}

// Sends the form as its button would, and shows the page that comes back in the place of this one.
async function send(form, button) {
  if (busy) return;
  busy = true;
  try {
    const body = new URLSearchParams(new FormData(form, button));
    const headers = { "X-Requested-With": "fetch", Accept: "text/html" };
    const answer = await fetch(location.pathname, { method: "POST", body, headers });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    (document.getElementById("asked") ?? document.getElementById("main")).focus();
    loadAhead();
  } catch {
    location.reload();
  } finally {
    busy = false;
  }
}

function move(step) {
  const marks = [...document.querySelectorAll("form.review input[name=wrong]")];
  const at = marks.indexOf(document.activeElement);
  marks[at < 0 ? 0 : (at + step + marks.length) % marks.length]?.focus();
}

document.addEventListener("submit", (event) => {
  if (event.target.closest("main")) {
    event.preventDefault();
    send(event.target, event.submitter);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  const button = key === "u" ? document.getElementById("undo") : document.querySelector(`form.review button[value="${keys[key]}"]`);
  if (key === "arrowright" || key === "arrowdown") move(1);
  else if (key === "arrowleft" || key === "arrowup") move(-1);
  else if (button) button.click();
  else return;
  event.preventDefault();
});

loadAhead();
