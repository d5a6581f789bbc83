// Selecting faces: shift-click takes all between, arrows move, and each letter presses the button that shows it.
// Without this file the boxes and buttons do the same by themselves.

const form = document.querySelector("form.picks");
const boxes = form ? [...form.querySelectorAll("input[name=face]")] : [];
const output = form?.querySelector("output[data-selected]");
const nothing = output?.textContent;
let last = null;

function tell() {
  const count = boxes.filter((box) => box.checked).length;
  if (output) output.textContent = count ? output.dataset.selected.replace("#", count) : nothing;
}

function takeBetween(box) {
  const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((one, other) => one - other);
  for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
}

function isBelow(box, above) {
  return box.getBoundingClientRect().top > above.getBoundingClientRect().bottom - 1;
}

function move(key) {
  const here = Math.max(boxes.indexOf(document.activeElement), 0);
  const box = boxes[here];
  const left = (other) => Math.abs(other.getBoundingClientRect().left - box.getBoundingClientRect().left);
  const nearest = (some) => some.find((other) => left(other) < box.offsetWidth) ?? some[0];
  const next = {
    ArrowLeft: () => boxes[here - 1],
    ArrowRight: () => boxes[here + 1],
    ArrowDown: () => nearest(boxes.slice(here + 1).filter((other) => isBelow(other, box))),
    ArrowUp: () => nearest(boxes.slice(0, here).reverse().filter((other) => isBelow(box, other))),
  }[key]();
  (next ?? box).focus();
}

form?.addEventListener("click", (event) => {
  if (!boxes.includes(event.target)) return;
  if (event.shiftKey && last) takeBetween(event.target);
  last = event.target;
  tell();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
  if (!boxes.length || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const named = form.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (event.key.startsWith("Arrow")) move(event.key);
  else if (event.key === "a") {
    const all = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !all;
    tell();
  } else if (named?.tagName === "SELECT") named.focus();
  else if (named) named.click();
  else return;
  event.preventDefault();
});

tell();
