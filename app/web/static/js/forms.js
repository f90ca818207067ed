// Forms: sent once, watched for what was not saved, faults found by the focus; and what htmx sends
// shows that it comes from this page.

const token = document.querySelector('meta[name="csrf-token"]')?.content;
const root = document.documentElement;

document.addEventListener("htmx:config:request", (event) => {
  const request = event.detail.ctx.request;
  const isOwn = new URL(request.action, location.href).origin === location.origin;
  if (token && isOwn && request.method?.toUpperCase() !== "GET") request.headers["X-CSRF-Token"] = token;
});

// --- What takes a while is seen to be under way.

let waiting = 0;

function wait(step) {
  waiting = Math.max(0, waiting + step);
  root.classList.toggle("is-waiting", waiting > 0);
}

const isShown = (event) => !event.detail.ctx.sourceElement?.matches?.("[data-live], .well");
document.addEventListener("htmx:before:request", (event) => isShown(event) && wait(1));
document.addEventListener("htmx:finally:request", (event) => isShown(event) && wait(-1));
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || isHandled(form)) return;
  if (form.classList.contains("is-sending")) return event.preventDefault();
  form.classList.add("is-sending");
  form.dataset.saved = "";
  wait(1);
});
// A page that comes back from the browser's own store is ready again.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  wait(-waiting);
  for (const form of document.querySelectorAll(".is-sending")) form.classList.remove("is-sending");
});

function isHandled(form) {
  return ["hx-post", "hx-put", "hx-patch", "hx-delete"].some((name) => form.hasAttribute(name));
}

// --- What was typed and not sent is not lost without a question: `<form data-guard>`.

function written(form) {
  return JSON.stringify([...new FormData(form)].filter(([name]) => name !== "csrf").map(([k, v]) => [k, String(v)]));
}

const before = new WeakMap();

function watch(scope) {
  for (const form of scope.querySelectorAll("form[data-guard]")) {
    if (!before.has(form)) before.set(form, form.dataset.guard === "dirty" ? "" : written(form));
  }
}

export function isUnsaved() {
  return [...document.querySelectorAll("form[data-guard]")].some(
    (form) => before.has(form) && !("saved" in form.dataset) && before.get(form) !== written(form),
  );
}

addEventListener("beforeunload", (event) => {
  if (isUnsaved()) event.preventDefault();
});

// --- The first fault takes the focus.

function toFault(scope) {
  const fault = scope.querySelector('[aria-invalid="true"], [data-fault]');
  // What is wrong with a form as a whole is read out; the field to go on with has the focus already.
  if (fault && !(fault.matches("[data-fault]") && scope.querySelector("[autofocus]"))) fault.focus();
}

watch(document);
toFault(document);
document.addEventListener("htmx:after:swap", (event) => {
  watch(document);
  if (!isShown(event)) return;
  const target = event.detail.ctx.target;
  if (target instanceof Element && target.isConnected) toFault(target);
});
