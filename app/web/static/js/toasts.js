// One line at the bottom that goes away by itself. Never for what is wrong in a form.

const SHOWN_FOR = 6000;
const UNDONE_WITHIN = 12_000; // it takes a while to see that it was the wrong one
const box = document.getElementById("toasts");

/** Say something; `undo`, if given, is what the button in it does. */
export function toast(text, undo) {
  const line = document.createElement("div");
  line.className = "toast";
  const words = document.createElement("span");
  words.textContent = text;
  line.append(words);
  if (undo) line.append(button("Undo", "toast-undo", () => (line.remove(), undo())));
  box.append(line);
  dress(line);
}

function button(text, kind, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = kind;
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

function dress(line) {
  const close = button("✕", "toast-close", () => line.remove());
  close.setAttribute("aria-label", "Close");
  line.append(close);
  const shown = line.querySelector(".toast-undo") ? UNDONE_WITHIN : SHOWN_FOR;
  let timer = setTimeout(() => line.remove(), shown);
  // Whoever reads it slowly, or wants its button, has the time.
  const stay = () => clearTimeout(timer);
  const go = () => (timer = setTimeout(() => line.remove(), shown));
  line.addEventListener("mouseenter", stay);
  line.addEventListener("mouseleave", go);
  line.addEventListener("focusin", stay);
  line.addEventListener("focusout", go);
}

for (const line of box?.querySelectorAll(".toast") ?? []) dress(line);
// From the server, beside an answer: `HX-Trigger: {"toast": {"text": "…"}}`.
document.addEventListener("toast", (event) => toast(event.detail.text));
document.addEventListener("htmx:error", (event) => {
  if (event.detail.error?.name !== "AbortError") {
    toast("The server did not answer. Check your connection, then try again.");
  }
});
