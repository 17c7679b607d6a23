// Numbers and times as people read them.
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

export const count = (n) => (n === undefined || n === null ? "–" : whole.format(n));
// "12,345", "1.23M"
export const compact = (n) => (n === undefined || n === null || Number.isNaN(n) ? "–" : n < 100000 ? whole.format(n) : short.format(n));
export const rate = (n) => (n === undefined || n === null ? "–" : n > 0 && n < 10 ? n.toFixed(1) : compact(n));
export const percent = (part, all) => (all > 0 ? `${(100 * part / all).toFixed(part / all > 0.995 && part < all ? 2 : 1)} %` : "–");
export const ms = (n) => (n === undefined || n === null ? "–" : `${n < 10 ? n.toFixed(1) : Math.round(n)} ms`);

export function duration(seconds) {
  if (seconds === undefined || seconds === null) return "–";
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0 || first === 3) return `${Math.round(seconds)} s`;
  const [[name, size], [next, small]] = [units[first], units[first + 1]];
  const rest = Math.floor((seconds % size) / small);
  return `${Math.floor(seconds / size)} ${name}${rest ? ` ${rest} ${next}` : ""}`;
}

// Of a path or a URL what a person recognizes; the whole belongs into a title.
export const lastPart = (text) => text.split("/").filter(Boolean).pop() ?? text;

export function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let at = 0;
  while (n >= 1024 && at < units.length - 1) { n /= 1024; ++at; }
  return `${n < 10 && at > 0 ? n.toFixed(1) : Math.round(n)} ${units[at]}`;
}

// Microseconds as a person says them.
export const us = (n) => (n === undefined || n === null ? "–" : n < 1000 ? `${Math.round(n)} µs` : n < 1e6 ? `${(n / 1000).toFixed(1)} ms` : `${(n / 1e6).toFixed(1)} s`);

// The browser's time zone. Times of the clock and the calendar are in it.
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const pad = (n, digits = 2) => String(n).padStart(digits, "0");
export const day = (date) => `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
export const clock = (date) => `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
// "21:00:05" of today, "2026-11-27 21:00:05" of another day.
export const when = (date, now = new Date()) => (day(date) === day(now) ? clock(date) : `${day(date)} ${clock(date)}`);

export function time(seconds) {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? "–" : `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
