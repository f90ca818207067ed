// A form that grows tells when it has, so that what stands beside it is tried anew; and where a list
// got another item the focus goes there.

let pressed = null;

document.addEventListener("click", (event) => {
  const button = event.target.closest?.('#builder button[name="_do"]');
  if (button) pressed = button.value;
});
document.addEventListener("htmx:after:swap", () => {
  const form = document.getElementById("builder");
  if (!form || !pressed) return;
  const [verb, path] = pressed.split(" ");
  pressed = null;
  if (verb === "add") last(form, path)?.focus();
  document.body.dispatchEvent(new CustomEvent("tocsin:grown"));
});

/** The first field of the last item of a list. */
function last(form, path) {
  const fields = [...form.elements].filter((one) => one.name?.startsWith(`${path}[`) && one.matches("input, select, textarea"));
  const item = fields.at(-1)?.name.slice(path.length).match(/^\[\d+\]/)?.[0];
  return item ? fields.find((one) => one.name.startsWith(path + item)) : null;
}
