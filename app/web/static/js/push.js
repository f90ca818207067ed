// Pushes to this browser, switched on and off by its owner: `<div data-push>` with a button in it.
//
//   <div data-push data-key-url="/v1/push/public-key …">
// What the server is told goes through ordinary forms, so that it is checked like any other.

const box = document.querySelector("[data-push]");

const SAYS = {
  impossible: "This browser cannot receive pushes here. It needs a secure address (https) and, on an iPhone, Tocsin on the home screen.",
  denied: "You have told this browser not to show notifications. Allow them in its settings for this site, then come back.",
  off: "Pages are not pushed to this browser.",
  on: "Pages are pushed to this browser.",
};

function bytes(key) {
  const text = atob((key + "=".repeat((4 - (key.length % 4)) % 4)).replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function say(state) {
  box.dataset.state = state;
  box.querySelector("[data-push-says]").textContent = SAYS[state];
  for (const button of box.querySelectorAll("button[data-push-do]")) {
    button.hidden = !(button.dataset.pushDo === "on" ? state === "off" : state === "on");
  }
}

async function state() {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return "impossible";
  if (Notification.permission === "denied") return "denied";
  const worker = await navigator.serviceWorker.ready;
  return (await worker.pushManager.getSubscription()) ? "on" : "off";
}

async function turnOn() {
  if ((await Notification.requestPermission()) !== "granted") return say("denied");
  const worker = await navigator.serviceWorker.ready;
  const subscription = await worker.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytes(box.dataset.push),
  });
  const { endpoint, keys } = subscription.toJSON();
  const form = box.querySelector("form");
  form.elements["subscription.endpoint"].value = endpoint;
  form.elements["subscription.keys.p256dh"].value = keys.p256dh;
  form.elements["subscription.keys.auth"].value = keys.auth;
  form.requestSubmit();
}

async function turnOff() {
  const worker = await navigator.serviceWorker.ready;
  await (await worker.pushManager.getSubscription())?.unsubscribe();
  say("off");
}

if (box) {
  box.addEventListener("click", (event) => {
    const asked = event.target.closest("button[data-push-do]")?.dataset.pushDo;
    if (asked === "on") turnOn().catch(() => say("impossible"));
    if (asked === "off") turnOff();
  });
  state().then(say);
}
