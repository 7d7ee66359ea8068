// The steps of a session with the gaps between them.

import { gap } from "./times.js";

const LONG = 1_000;

/** `room_started` as people read it. */
export const worded = (code) => code.replaceAll("_", " ");

/** Each step with how long after the one before it it came, and whether that was long. The first one is compared with `start`. */
export function steps(timeline, start) {
  let before = start;
  return timeline.map((entry) => {
    const step = {
      ...entry,
      gap: gap(before, entry.at),
      long: Date.parse(entry.at) - Date.parse(before) >= LONG,
      about: about(entry),
    };
    before = entry.at;
    return step;
  });
}

function about({ agent_name: agent, attempt, identity, dispatch_id: dispatch, cause, detail }) {
  return [agent, attempt === undefined ? undefined : `attempt ${attempt}`, cause, identity, dispatch, detail].filter(Boolean);
}

/** The steps of one attempt: each that was reached, with the gap to the one before. */
export function attemptSteps(attempt) {
  let before = attempt.requested_at;
  const told = {};
  for (const name of ["accepted", "joined", "ended"]) {
    const at = attempt[`${name}_at`];
    if (!at) continue;
    told[name] = gap(before, at);
    before = at;
  }
  return told;
}
