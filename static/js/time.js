/** Times as their reader has them. */

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const long = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export function dayName(when, now = Date.now()) {
  const days = daysBetween(when, now);
  return days < 2 ? capital(relative.format(-days, "day")) : long.format(when);
}

/** “10:24”, “yesterday, 10:24”, “20 Nov, 10:24”. */
export function clockAndDay(when, now = Date.now()) {
  const days = daysBetween(when, now);
  if (days === 0) return clock.format(when);
  return `${days < 2 ? relative.format(-days, "day") : date.format(when)}, ${clock.format(when)}`;
}

export function ago(when, now = Date.now()) {
  const minutes = Math.round((now - when) / 60_000);
  if (minutes < 0) return daysBetween(when, now) === 0 ? clock.format(when) : full.format(when);
  if (minutes < 1) return "now";
  if (minutes < 60) return relative.format(-minutes, "minute");
  return daysBetween(when, now) === 0 ? clock.format(when) : date.format(when);
}

/** Put the reader's time into every `<time data-style>` beneath `root`. */
export function localise(root) {
  for (const time of root.querySelectorAll("time[data-style]")) {
    const when = new Date(time.dateTime);
    const styles = { clock: clockParts, ago: (at) => [ago(at)], day: (at) => [date.format(at)] };
    time.replaceChildren(...styles[time.dataset.style](when));
    time.title = full.format(when);
  }
}

/** The hour and minute, and “PM” apart from them: where it is narrow it is not shown. */
function clockParts(when) {
  return clock.formatToParts(when).map(({ type, value }) => {
    if (type !== "dayPeriod") return value.replace(/\s+$/u, "\u2009");
    const period = document.createElement("span");
    period.className = "day-period";
    period.textContent = value;
    return period;
  });
}

function daysBetween(when, now) {
  const midnight = (at) => new Date(at).setHours(0, 0, 0, 0);
  return Math.round((midnight(now) - midnight(when)) / 86_400_000);
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}
