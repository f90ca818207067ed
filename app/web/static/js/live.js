// Pages stay true: what an event is about is fetched and morphed in again, without taking the focus
// or the place from whoever reads.
//
//   <div data-live="incidents" hx-get="/incidents?part=rows" data-every="60">…</div>
//
// Topics: `incidents` (any of them), `incident:12`, or a kind of thing that somebody changes (`service`,
// `webhook`), as the audit log calls it. One stream a browser is shared between its tabs (live-worker.js); where there are no
// shared workers each tab has its own.

const HEARD = Number(document.body.dataset.heard ?? 0); // what this page shows already
const TYPES = (document.body.dataset.events ?? "").split(" ").filter(Boolean);
const HERE_EVERY = 15_000;
const CALM = 400; // ms: what comes in a burst is fetched once
const LOST_AFTER = 8_000; // ms: a short gap is nobody's business
const timers = new WeakMap();
const stale = new Set();
let lostTimer = null;
let wasLost = false;

function concerns(topics, type, event) {
  const all = topics.split(/\s+/);
  if (type === "changed") return all.some((topic) => event.resources.includes(topic));
  return all.some((topic) => {
    const [kind, id] = topic.split(":");
    if (id !== undefined) return String(event.incident_id) === id;
    return kind === "incidents" && (event.incident_id != null || type.startsWith("incident."));
  });
}

function parts() {
  return document.querySelectorAll("[data-live][hx-get]");
}

function heard({ type, event, state }) {
  if (state) return standing(state);
  for (const part of parts()) {
    if (type === "reset" || concerns(part.dataset.live, type, event)) soon(part);
  }
}

function soon(part) {
  if (timers.has(part)) return;
  timers.set(part, setTimeout(() => (timers.delete(part), refresh(part)), CALM));
}

function isBusy(part) {
  const active = document.activeElement;
  const isTyping = part.contains(active) && active.matches("input, textarea, select");
  return isTyping || part.querySelector("dialog[open], [popover]:popover-open") || isBegun(part);
}

/** Whether somebody has filled something in that is not sent yet. */
function isBegun(part) {
  return [...part.querySelectorAll("input:not([type=hidden]), textarea, select")].some((field) => {
    if (field.matches("select")) return field.selectedIndex !== Math.max(0, [...field.options].findLastIndex((one) => one.defaultSelected));
    if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
    return field.value !== field.defaultValue;
  });
}

async function refresh(part) {
  if (!part.isConnected) return;
  if (document.hidden || isBusy(part)) return void stale.add(part);
  stale.delete(part);
  const headers = { "HX-Request": "true", "HX-Current-URL": location.href, Accept: "text/html" };
  let answer;
  try {
    answer = await fetch(part.getAttribute("hx-get"), { headers, credentials: "same-origin" });
  } catch {
    return void stale.add(part);
  }
  if (answer.headers.get("HX-Redirect")) return standing("refused");
  if (!answer.ok) return;
  const text = await answer.text();
  const known = new Set([...part.querySelectorAll("tr[id], li[id]")].map((row) => row.id));
  await window.htmx.swap({ text, target: part, swap: isWhole(part, text) ? "outerMorph" : "innerMorph", sourceElement: part });
  if (known.size) light(part, known);
  part.dispatchEvent(new CustomEvent("tocsin:fresh", { bubbles: true }));
}

/** Whether the answer is the part itself, and not only what it holds. */
function isWhole(part, text) {
  const first = new DOMParser().parseFromString(text, "text/html").body.firstElementChild;
  return first?.dataset.live === part.dataset.live && first.tagName === part.tagName;
}

function light(part, known) {
  for (const row of part.querySelectorAll("tr[id], li[id]")) {
    if (known.has(row.id)) continue;
    row.classList.add("is-new");
    row.addEventListener("animationend", () => row.classList.remove("is-new"), { once: true });
  }
}

function catchUp() {
  for (const part of [...stale]) refresh(part);
}

// --- How the stream is

function standing(state) {
  const line = document.getElementById("offline");
  if (!line) return;
  if (state === "open") {
    clearTimeout(lostTimer);
    lostTimer = null;
    line.hidden = true;
    if (wasLost) for (const part of parts()) soon(part);
    wasLost = false;
  } else if (state === "refused") {
    clearTimeout(lostTimer);
    line.hidden = false;
    line.textContent = "Live updates have ended: you may be signed out. Load the page again.";
  } else if (state === "lost" && lostTimer === null) {
    wasLost = true;
    lostTimer = setTimeout(() => (line.hidden = false), LOST_AFTER);
  }
}

// --- The way to it

function share() {
  const url = new URL("./live-worker.js", import.meta.url);
  const worker = new SharedWorker(url, { name: "tocsin-live" });
  worker.onerror = alone;
  worker.port.onmessage = ({ data }) => heard(data);
  worker.port.postMessage({ types: TYPES, heard: HEARD });
  setInterval(() => worker.port.postMessage({}), HERE_EVERY);
  addEventListener("pagehide", () => worker.port.postMessage({ bye: true }));
  addEventListener("pageshow", (event) => event.persisted && worker.port.postMessage({ types: TYPES }));
}

function alone() {
  const source = new EventSource(`/v1/stream?changes=true&last_event_id=${HEARD}`);
  source.onopen = () => standing("open");
  source.onerror = () => standing(source.readyState === EventSource.CLOSED ? "refused" : "lost");
  for (const type of [...TYPES, "changed"]) source.addEventListener(type, (event) => heard({ type, event: JSON.parse(event.data) }));
  source.addEventListener("reset", () => heard({ type: "reset" }));
}

if (TYPES.length) {
  // What is live is fetched by us, not by a click on it.
  for (const part of parts()) if (!part.hasAttribute("hx-trigger")) part.setAttribute("hx-trigger", "live");
  // What no event tells of is looked at every so many seconds, for as long as somebody sees it.
  for (const part of document.querySelectorAll("[data-live][data-every]")) {
    setInterval(() => refresh(part), Number(part.dataset.every) * 1000);
  }
  if ("SharedWorker" in window) share();
  else alone();
  document.addEventListener("visibilitychange", () => document.hidden || catchUp());
  document.addEventListener("focusout", () => setTimeout(catchUp));
  document.addEventListener("toggle", () => setTimeout(catchUp), true);
  document.addEventListener("close", () => setTimeout(catchUp), true);
  addEventListener("pageshow", (event) => event.persisted && parts().forEach(soon));
}
