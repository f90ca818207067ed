// The keyboard: what UI.md lists, and nothing while somebody types.
//
// Rows are found by their `.row-link`. A single letter presses what has it as `data-key`, of the row
// that is chosen if there is one, else of the page.

const PLACES = { h: "/", i: "/incidents", s: "/schedules" };
const PATIENCE = 1200; // ms for the second key after `g`
let gone = 0;

function isTyping(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape" && event.target.id === "search") return event.target.blur();
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "g") return void (gone = event.timeStamp);
  const isPlace = event.timeStamp - gone < PATIENCE && gone > 0;
  gone = 0;
  if (isPlace && PLACES[event.key]) return take(event, () => (location.href = PLACES[event.key]));
  const act = KEYS[event.key];
  if (act) return take(event, act);
  if (/^[a-z]$/.test(event.key)) press(event);
});

const KEYS = {
  "/": () => document.getElementById("search")?.select(),
  "?": () => document.getElementById("keys")?.showModal(),
  j: () => move(1),
  k: () => move(-1),
};

function take(event, act) {
  event.preventDefault();
  act();
}

function rows() {
  return [...document.querySelectorAll(".row-link")].filter((link) => link.checkVisibility());
}

function chosen() {
  return document.activeElement?.closest?.("tr, li")?.querySelector(".row-link");
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const here = all.indexOf(chosen());
  const next = here < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + step, 0), all.length - 1);
  all[next].focus({ preventScroll: true });
  all[next].closest("tr, li")?.scrollIntoView({ block: "nearest" });
}

// The chosen row is the one that holds the focus.
document.addEventListener("focusin", (event) => {
  for (const row of document.querySelectorAll(".is-chosen")) row.classList.remove("is-chosen");
  const row = event.target.closest?.("tr, li");
  if (row?.querySelector(".row-link")) row.classList.add("is-chosen");
});

function press(event) {
  const row = document.activeElement?.closest?.("tr, li");
  const selector = `[data-key="${event.key}"]`;
  const found = row?.querySelector(selector) ?? document.querySelector(`main ${selector}, header ${selector}`);
  if (!found || found.disabled) return;
  event.preventDefault();
  if (isTyping(found)) found.focus();
  else found.click();
}

for (const button of document.querySelectorAll("[data-keys]")) {
  button.addEventListener("click", () => {
    button.closest("[popover]")?.hidePopover();
    KEYS["?"]();
  });
}
