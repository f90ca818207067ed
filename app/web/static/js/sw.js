// The service worker: it shows pushes, presses their buttons, and says so when there is no network.
// It keeps no state of ours: what a page says about an incident always comes from the server.

const KEPT = "offline-1";
const OFFLINE = "/offline";
const FILES = [OFFLINE, "/static/css/pages/offline.css", "/static/icons/tocsin.svg"];
const PAGED = "incident.paged";
const LINK = /^\/a\/[A-Za-z0-9_.~=-]+$/;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const clean = caches.keys().then((names) =>
    Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name))));
  event.waitUntil(clean.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const path = new URL(request.url).pathname;
  if (request.mode === "navigate" && request.method === "GET") {
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  } else if (FILES.includes(path)) {
    event.respondWith(fetch(request).catch(() => caches.match(path)));
  }
});

// --- Pushes -----------------------------------------------------------------------------

self.addEventListener("push", (event) => {
  event.waitUntil(show(read(event.data)));
});

function read(data) {
  try {
    return data.json();
  } catch {
    return { title: "Tocsin", body: "Something happened. Open Tocsin to see what.", data: {} };
  }
}

function show(said) {
  const about = said.data ?? {};
  const link = linkOf(about);
  const actions = [];
  if (link) actions.push({ action: "acknowledge", title: about.is_drill ? "Answer" : "Acknowledge" });
  if (link && !about.is_drill) actions.push({ action: "escalate", title: "Escalate" });
  return self.registration.showNotification(said.title || "Tocsin", {
    body: said.body ?? "",
    tag: said.tag,
    renotify: Boolean(said.tag),
    requireInteraction: about.type === PAGED,
    icon: "/static/icons/tocsin-192.png",
    badge: "/static/icons/badge-96.png",
    actions,
    data: { link, page: pageOf(about), title: said.title || "Tocsin", tag: said.tag },
  });
}

// Only the path counts: whatever an address in a push says, nobody but our own server is asked.
function linkOf(about) {
  if (about.type !== PAGED || typeof about.acknowledge_url !== "string") return null;
  try {
    const { pathname } = new URL(about.acknowledge_url, self.location.origin);
    return LINK.test(pathname) ? pathname : null;
  } catch {
    return null;
  }
}

function pageOf(about) {
  return Number.isInteger(about.incident_id) ? `/incidents/${about.incident_id}` : "/";
}

self.addEventListener("notificationclick", (event) => {
  const { notification, action } = event;
  const { link, page } = notification.data ?? {};
  notification.close();
  const press = link && (action === "acknowledge" || action === "escalate");
  event.waitUntil(press ? answer(notification.data, action) : open(page ?? "/"));
});

async function answer(about, action) {
  const address = action === "escalate" ? `${about.link}/escalate` : about.link;
  let outcome;
  try {
    const told = await fetch(address, { method: "POST", credentials: "omit", redirect: "error" });
    outcome = told.ok ? done(told, action) : null;
  } catch {
    outcome = null;
  }
  const failed = outcome === null;
  await self.registration.showNotification(failed ? `Not done: ${about.title}` : about.title, {
    body: failed ? "Tocsin could not be reached. Press to try it there." : outcome,
    tag: about.tag,
    requireInteraction: failed,
    icon: "/static/icons/tocsin-192.png",
    badge: "/static/icons/badge-96.png",
    data: { ...about, page: failed ? about.link : about.page, link: null },
  });
}

// What became of the press: somebody else may have been first.
function done(told, action) {
  if (told.headers.get("Tocsin-Done") === "yes") {
    return action === "escalate" ? "Escalated: whoever comes next is paged." : "You have it. Paging has stopped.";
  }
  return "Somebody was first, or it is over. Press to see.";
}

async function open(page) {
  for (const client of await self.clients.matchAll({ type: "window", includeUncontrolled: true })) {
    if (new URL(client.url).pathname === page) return client.focus();
  }
  return self.clients.openWindow(page);
}
