// Times as people read them. All are UTC, as in logs, alerts and the command line.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The time of day, to the second. */
export const clock = (at) => new Date(at).toISOString().slice(11, 19);

/** The time of day, to the millisecond. */
export const exact = (at) => new Date(at).toISOString().slice(11, 23);

/** The day and the time of day. */
export const moment = (at) => new Date(at).toISOString().slice(0, 19).replace("T", " ");

/** How long it is from one time to another, in two units at the most: `45s`, `3m 2s`, `2h 5m`, `3d 4h`. */
export function span(from, to) {
  const passed = Math.max(Date.parse(to) - Date.parse(from), 0);
  const whole = (unit) => Math.floor(passed / unit);
  if (passed >= DAY) return `${whole(DAY)}d ${whole(HOUR) % 24}h`;
  if (passed >= HOUR) return `${whole(HOUR)}h ${whole(MINUTE) % 60}m`;
  if (passed >= MINUTE) return `${whole(MINUTE)}m ${whole(SECOND) % 60}s`;
  return `${whole(SECOND)}s`;
}

/** From one step to the next: `+0.004 s`, `+2m 3s`. A clock of somebody else may make it negative. */
export function gap(before, after) {
  const passed = Date.parse(after) - Date.parse(before);
  if (Math.abs(passed) < MINUTE) return `${passed < 0 ? "−" : "+"}${(Math.abs(passed) / SECOND).toFixed(3)} s`;
  return passed < 0 ? `−${span(after, before)}` : `+${span(before, after)}`;
}

/** The last time that a clock showed `hh:mm` in UTC. */
export function lastTime(hhmm, now) {
  const today = Date.parse(`${new Date(now).toISOString().slice(0, 10)}T${hhmm}:00Z`);
  return new Date(today > Date.parse(now) ? today - DAY : today).toISOString();
}

/** `hh:mm` in UTC, so many minutes before. */
export const minutesBefore = (now, minutes) => clock(Date.parse(now) - minutes * MINUTE).slice(0, 5);
