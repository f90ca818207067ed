// A postmortem that is saved while it is written is not lost by leaving its page.

const form = document.getElementById("postmortem");
const ours = (event) => event.target.form === form || form?.contains(event.target);

document.addEventListener("input", (event) => {
  if (ours(event)) delete form.dataset.saved;
});

// The timeline stands beside the form and belongs to it: what happens there is told to it.
for (const field of form?.elements ?? []) {
  if (!form.contains(field)) field.addEventListener("input", () => form.dispatchEvent(new Event("input")));
}

document.addEventListener("htmx:after:swap", () => {
  if (form && document.getElementById("saved")?.dataset.saved === "yes") form.dataset.saved = "";
});
