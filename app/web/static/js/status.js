// The public page, kept true: whenever something public happens, the parts that differ are put in
// anew. Without this file the page says the same, as of when it was loaded.

const SETTLE = 400; // ms: several events of one act are one look
const LOOK_EVERY = 5 * 60_000; // without any event, too: bars grow and days end
const TYPES = [
  "incident.created", "incident.updated", "incident.status_changed", "incident.update_posted",
  "maintenance.created", "maintenance.updated", "maintenance.status_changed", "maintenance.update_posted",
  "component.status_changed", "postmortem.published", "reset",
];

const served = new Map(); // each part as the server wrote it, before anything here touched it
let waiting = 0;

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(look, SETTLE + Math.random() * SETTLE); // not everybody in the same instant
}

async function look() {
  let answer;
  try {
    answer = await fetch(location.href, { cache: "no-cache", headers: { Accept: "text/html" } });
  } catch {
    return; // offline: what is shown says when it was checked
  }
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = fresh.title;
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (other) renew(part, other);
  }
}

function renew(part, other) {
  const name = part.dataset.part;
  const text = other.outerHTML;
  if (served.get(name) === text) return;
  served.set(name, text);
  const open = [...part.querySelectorAll("details")].map((one) => one.open);
  const at = pressable(part).indexOf(document.activeElement);
  part.className = other.className;
  part.replaceChildren(...other.childNodes);
  part.querySelectorAll("details").forEach((one, number) => { one.open = open[number] ?? false; });
  if (at >= 0) pressable(part)[at]?.focus({ preventScroll: true });
  if (name === "now") part.querySelector(".card")?.classList.add("is-new");
  tellTimes(part);
}

function pressable(part) {
  return [...part.querySelectorAll("a[href], summary")];
}

function listen() {
  const address = document.body.dataset.stream;
  if (!address || !window.EventSource) return;
  const source = new EventSource(address);
  for (const type of TYPES) source.addEventListener(type, soon);
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 30_000 + Math.random() * 30_000);
  });
}

function tellTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.valueOf())) time.title = `${at.toLocaleString()} where you are · ${time.title}`;
  }
}

for (const part of document.querySelectorAll("[data-part]")) served.set(part.dataset.part, part.outerHTML);
tellTimes(document);
listen();
setInterval(look, LOOK_EVERY);
