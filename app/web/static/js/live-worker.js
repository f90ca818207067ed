// One stream of events for all tabs of this browser. It ends when the last tab does.
//
// A tab says "here" every now and then; one that stopped saying so is gone (there is no other sign).

const GONE_AFTER = 45_000;
const tabs = new Map();
let source = null;
let state = "connecting";
let types = [];
let heard = 0; // the place in the feed that all tabs have been told up to

onconnect = (event) => {
  const port = event.ports[0];
  port.onmessage = ({ data }) => {
    if (data.bye) return leave(port);
    tabs.set(port, Date.now());
    if (data.types && !types.length) types = data.types;
    if (!source || source.readyState === EventSource.CLOSED) open(data.heard ?? heard);
    // What happened while this page was on its way, the others have been told already.
    else if (data.heard < heard) port.postMessage({ type: "reset" });
    if (data.types) port.postMessage({ state });
  };
  port.start?.();
};

function open(after) {
  source?.close();
  heard = after;
  source = new EventSource(`/v1/stream?changes=true&last_event_id=${after}`);
  source.onopen = () => tell("open");
  // It comes back by itself, from the event that it heard last; refused, it does not.
  source.onerror = () => tell(source.readyState === EventSource.CLOSED ? "refused" : "lost");
  for (const type of [...types, "changed"]) {
    source.addEventListener(type, (event) => {
      heard = Math.max(heard, Number(event.lastEventId) || 0);
      send({ type, event: JSON.parse(event.data) });
    });
  }
  source.addEventListener("reset", () => send({ type: "reset" }));
}

function tell(what) {
  state = what;
  send({ state });
}

function send(message) {
  for (const port of tabs.keys()) port.postMessage(message);
}

function leave(port) {
  tabs.delete(port);
  if (!tabs.size) {
    source?.close();
    source = null;
    state = "connecting";
  }
}

setInterval(() => {
  for (const [port, seen] of tabs) if (Date.now() - seen > GONE_AFTER * 3) leave(port);
}, GONE_AFTER);
