// Dialogs and questions. The browser keeps the focus inside an open one and gives it back.

document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-opens]");
  const closer = event.target.closest?.("[data-closes]");
  // Whatever browser knows `command` has done it itself, a moment later: neither does it twice.
  if (opener) open(opener.dataset.opens, event);
  if (closer) close(closer.dataset.closes, event);
  if (event.target instanceof HTMLDialogElement && isOutside(event)) event.target.close();
});

function open(id, event) {
  const dialog = document.getElementById(id);
  event.preventDefault();
  menuOf(event.target)?.hidePopover();
  if (dialog && !dialog.open) dialog.showModal();
}

function close(id, event) {
  event.preventDefault();
  document.getElementById(id)?.close();
}

function menuOf(element) {
  return element.closest("[popover]:popover-open");
}

function isOutside(event) {
  const box = event.target.getBoundingClientRect();
  return (
    event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom
  );
}

/** Ask before something that cannot be undone: the promise is whether to do it. */
export function ask(question, verb = "Go on") {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-labelledby", "question-title");
  const form = document.createElement("form");
  form.method = "dialog";
  form.className = "dialog-body";
  const [first, ...rest] = question.split("\n");
  const title = document.createElement("h2");
  title.id = "question-title";
  title.textContent = first;
  const text = document.createElement("p");
  text.textContent = rest.join(" ");
  const actions = document.createElement("div");
  actions.className = "dialog-actions";
  actions.append(choice("Cancel", "button button-quiet", ""), choice(verb, "button button-danger-solid", "yes"));
  form.append(title, ...(rest.length ? [text] : []), actions);
  dialog.append(form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
  });
}

function choice(words, kind, value) {
  const made = document.createElement("button");
  made.className = kind;
  made.value = value;
  made.textContent = words;
  return made;
}

// `hx-confirm="Delete it?\nNobody would be paged."` with `data-verb="Delete"`.
document.addEventListener("htmx:confirm", (event) => {
  event.preventDefault();
  const { ctx, issueRequest, dropRequest } = event.detail;
  ask(ctx.confirm, ctx.sourceElement.dataset.verb).then((yes) => (yes ? issueRequest() : dropRequest()));
});
