// The list of incidents: a choice narrows it at once, and rows that are chosen can be taken together.

document.documentElement.classList.add("has-script");

document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-submits]")) narrow(event.target.form);
  if (event.target.matches?.(".pick")) count();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-clears]")) return;
  for (const box of picked()) box.checked = false;
  count();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "x" || event.target.matches("input:not(.pick), textarea, select")) return;
  const box = document.activeElement?.closest("li")?.querySelector(".pick:enabled");
  if (box) box.click();
});
document.addEventListener("tocsin:fresh", count);

/** An address without what is empty: it can be read, kept and sent around. */
function narrow(form) {
  const pairs = [...new FormData(form)].filter(([, value]) => value !== "");
  const seen = new Set();
  const once = pairs.filter((pair) => !seen.has(String(pair)) && seen.add(String(pair)));
  location.href = `${form.getAttribute("action")}?${new URLSearchParams(once)}`;
}

function picked() {
  return [...document.querySelectorAll(".pick:checked")];
}

function count() {
  const bar = document.querySelector("[data-many]");
  if (!bar) return;
  const chosen = picked().length;
  bar.hidden = chosen === 0;
  bar.querySelector("[data-chosen]").textContent = chosen;
}
