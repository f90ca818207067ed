// Dragging over the row on top of a schedule's calendar fills the form that puts somebody on call.
// Without it, or without a pointer, the form is filled by hand, or by choosing a shift.

const STEP = 30 * 60; // seconds: what is drawn snaps to half an hour
const FAR = 6; // px: less is a click
const SVG = "http://www.w3.org/2000/svg";
let drag = null;

// Where the calendar is wider than the screen, it begins a little before now.
for (const chart of document.querySelectorAll(".rota")) {
  const now = chart.querySelector(".rota-now");
  if (now) chart.scrollLeft += now.getBoundingClientRect().left - chart.getBoundingClientRect().left - chart.clientWidth / 2;
}

// The page may put its rows in anew at any time, so it is the page that listens.
addEventListener("pointerdown", begin);
addEventListener("dragstart", (event) => event.target.closest?.("[data-drags]") && event.preventDefault());
addEventListener("click", clicked, true);
addEventListener("pointermove", move);
addEventListener("pointerup", end);
addEventListener("pointercancel", drop);
addEventListener("keydown", (event) => event.key === "Escape" && drop());

function begin(event) {
  const row = event.target.closest?.("[data-drags]");
  if (!row || event.button !== 0 || event.pointerType === "touch") return;
  drag = { row, from: event.clientX, box: null };
}

function clicked(event) {
  const row = event.target.closest?.("[data-drags]");
  if (!row?.dataset.drawn) return;
  event.preventDefault();
  delete row.dataset.drawn;
}

function move(event) {
  if (!drag) return;
  if (!drag.box && Math.abs(event.clientX - drag.from) < FAR) return;
  if (!drag.box) {
    drag.box = document.createElementNS(SVG, "rect");
    drag.box.setAttribute("class", "bar-drawn");
    drag.box.setAttribute("height", "100%");
    drag.row.append(drag.box);
  }
  const [left, right] = span(event.clientX);
  drag.box.setAttribute("x", `${left * 100}%`);
  drag.box.setAttribute("width", `${(right - left) * 100}%`);
}

function end(event) {
  if (!drag?.box) return void (drag = null);
  const [since, until] = drag.row.dataset.drags.split(" ").map(Number);
  const [left, right] = span(event.clientX).map((share) => since + share * (until - since));
  const form = document.querySelector("[data-override]");
  form.elements.starts_at.value = wall(snap(left), drag.row.dataset.zone);
  form.elements.ends_at.value = wall(Math.max(snap(right), snap(left) + STEP), drag.row.dataset.zone);
  drag.row.dataset.drawn = "yes";
  const row = drag.row;
  setTimeout(() => delete row.dataset.drawn); // the click that follows at once is no choice
  drop();
  form.scrollIntoView({ block: "nearest" });
  form.elements.user_id.focus();
}

function drop() {
  drag?.box?.remove();
  drag = null;
}

/** From where to where, as shares of the row. */
function span(x) {
  const box = drag.row.getBoundingClientRect();
  const share = (at) => Math.min(1, Math.max(0, (at - box.left) / box.width));
  return [share(drag.from), share(x)].sort((a, b) => a - b);
}

function snap(seconds) {
  return Math.round(seconds / STEP) * STEP;
}

/** An instant as a field for date and time has it, by the clock of a zone. */
function wall(seconds, timeZone) {
  const kinds = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
  const format = new Intl.DateTimeFormat("en-GB", { ...kinds, timeZone, hourCycle: "h23" });
  const part = Object.fromEntries(format.formatToParts(seconds * 1000).map(({ type, value }) => [type, value]));
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}`;
}
