// A postmortem that is saved while it is written is not lost by leaving its page; and what is picked
// from the timeline shows where to note what it meant.

const form = document.getElementById("postmortem");
const ours = (event) => event.target.form === form || form?.contains(event.target);

document.addEventListener("input", (event) => {
  if (ours(event)) delete form.dataset.saved;
});

// Fields outside the form belong to it, too: what happens to them is told to it.
document.addEventListener("change", (event) => {
  if (!ours(event)) return;
  if (event.target.name === "_pick") event.target.closest("li").classList.toggle("is-picked", event.target.checked);
});
for (const field of form?.elements ?? []) {
  if (!form.contains(field)) field.addEventListener("input", () => form.dispatchEvent(new Event("input")));
}

document.addEventListener("htmx:after:swap", () => {
  if (form && document.getElementById("saved")?.dataset.saved === "yes") form.dataset.saved = "";
});
