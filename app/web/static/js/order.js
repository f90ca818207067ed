// Rows that are put in order by dragging them at their grip: `<ul data-order>`. Letting go sends the
// row's own form of the buttons “up” and “down”, with the place in their stead; those stay for keys.

let moved = null;

document.addEventListener("pointerdown", (event) => {
  const row = event.target.closest?.("[data-grip]")?.closest("li");
  if (row) row.draggable = true; // by its grip alone, or no word in it could be marked
});

document.addEventListener("dragstart", (event) => {
  const row = event.target.closest?.("[data-order] > li");
  if (!row) return;
  moved = row;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", row.id);
  row.classList.add("is-moved");
});

document.addEventListener("dragover", (event) => {
  const row = target(event);
  if (!row) return;
  event.preventDefault();
  unmark();
  if (row !== moved) row.classList.add(isAfter(row, event) ? "is-after" : "is-before");
});

document.addEventListener("drop", (event) => {
  const row = target(event);
  if (!row) return;
  event.preventDefault();
  const others = [...row.parentElement.children].filter((one) => one !== moved);
  const place = row === moved ? -1 : others.indexOf(row) + (isAfter(row, event) ? 1 : 0);
  const form = moved.querySelector(".order form");
  if (place < 0 || !form || place === [...row.parentElement.children].indexOf(moved)) return;
  form.elements.to.value = place;
  form.requestSubmit();
});

document.addEventListener("dragend", () => {
  unmark();
  moved?.classList.remove("is-moved");
  moved?.removeAttribute("draggable");
  moved = null;
});

function target(event) {
  const row = event.target.closest?.("[data-order] > li");
  return moved && row?.parentElement === moved.parentElement ? row : null;
}

function isAfter(row, event) {
  const box = row.getBoundingClientRect();
  return event.clientY > box.top + box.height / 2;
}

function unmark() {
  for (const row of document.querySelectorAll(".is-before, .is-after")) row.classList.remove("is-before", "is-after");
}
