// Times in the reader's own zone, and kept true. What is in the page is a `<time data-time="…">` with
// the instant; its kind is ago, until, exact or clock. Without this script it reads in UTC.

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const WEEK = 7 * DAY;

// As the server writes them: English, 24 hours, so that no page tells a time in two ways.
const written = (kinds) => new Intl.DateTimeFormat("en-GB", kinds);
const exact = written({ dateStyle: "medium", timeStyle: "short" });
const full = written({ dateStyle: "full", timeStyle: "long" });
const day = written({ dateStyle: "medium" });
const clock = written({ hour: "2-digit", minute: "2-digit" });

/** “2 h 5 min”, as the server writes it. */
export function span(seconds) {
  if (seconds < MINUTE) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < DAY) return two(seconds, HOUR, "h", MINUTE, "min");
  return `${Math.floor(seconds / DAY)} d`;
}

function two(seconds, large, unit, small, other) {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${unit}${rest ? ` ${rest} ${other}` : ""}`;
}

function ago(then, now) {
  const seconds = (now - then) / 1000;
  if (Math.abs(seconds) >= WEEK) return day.format(then);
  if (seconds >= 0) return seconds < MINUTE ? "just now" : `${span(seconds)} ago`;
  return seconds > -MINUTE ? "in less than a minute" : `in ${span(-seconds)}`;
}

/** “3:12” in the last hour, “in 2 h 5 min” before that. */
function until(then, now) {
  const left = Math.ceil((then - now) / 1000);
  if (left <= 0) return "now";
  if (left >= HOUR) return `in ${span(left)}`;
  return `in ${Math.floor(left / MINUTE)}:${String(left % MINUTE).padStart(2, "0")}`;
}

const WRITE = {
  ago,
  until,
  exact: (then) => exact.format(then),
  clock: (then) => clock.format(then),
  day: (then) => day.format(then),
};

function write(element, now) {
  const then = new Date(element.dateTime);
  const kind = WRITE[element.dataset.time] ?? WRITE.exact;
  const words = kind(then, now);
  if (element.textContent !== words) element.textContent = words;
  const title = `${full.format(then)}\n${then.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  if (element.title !== title) element.title = title;
}

/** Write all times in `root` anew. */
export function freshen(root = document) {
  const now = new Date();
  for (const element of root.querySelectorAll("time[data-time]")) write(element, now);
}

function tick() {
  const now = new Date();
  for (const element of document.querySelectorAll('time[data-time="until"]')) write(element, now);
}

freshen();
setInterval(freshen, 20_000);
setInterval(tick, 1000);
document.addEventListener("tocsin:fresh", (event) => freshen(event.target));
document.addEventListener("htmx:after:swap", () => freshen());
document.addEventListener("visibilitychange", () => document.hidden || freshen());
