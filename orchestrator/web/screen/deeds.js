// What an operator can do: what is asked before it is done, how it is done, and what is said when it is.

import { named } from "./rows.js";
import { lastTime, minutesBefore } from "./times.js";
import { counted } from "./words.js";

/**
 * @typedef {{name: string, label: string, type: string, value?: string, hint?: string, options?: [string, string][],
 *            required?: boolean}} Field
 * @typedef {{title: string, explains: string, button: string, grave?: boolean, unreasoned?: boolean, fields?: Field[],
 *            run: (service: import("./service.js").Service, values: Record<string, string>, key: string) => Promise<string>}} Deed
 */

const LASTING = [["30m", "30 minutes"], ["1h", "1 hour"], ["2h", "2 hours"], ["4h", "4 hours"], ["12h", "12 hours"], ["24h", "1 day"]];

/** A name as a pattern that means this name alone. */
const literal = (name) => name?.replace(/[*?[{}]/g, "[$&]");

const session = (sid) => `sessions/${encodeURIComponent(sid)}`;
const agentPath = (agent) => `agents/${encodeURIComponent(named(agent))}`;

/** @returns {Deed} */
export function redispatch({ room, sid }) {
  return {
    title: `Redispatch ${room}`,
    explains: "Begins a new round of attempts now. An agent that serves stays until the one that replaces it is verified.",
    button: "Redispatch",
    async run(service, { reason }, key) {
      const { taken } = await service.send("POST", `${session(sid)}/redispatch`, { reason }, key);
      return `${room}: a new round has begun for ${taken.map((placement) => named(placement.agent_name)).join(", ") || "nobody new"}.`;
    },
  };
}

/** @returns {Deed} */
export function cancel({ room, sid }) {
  return {
    title: `Cancel ${room}`,
    explains: "Nobody is wanted in this session any more: its agents are taken out of the room, and none is dispatched until somebody asks for one.",
    button: "Cancel the session",
    grave: true,
    async run(service, { reason }, key) {
      const { taken } = await service.send("POST", `${session(sid)}/cancel`, { reason }, key);
      return `${room}: ${counted(taken.length, "agent is", "agents are")} not wanted any more.`;
    },
  };
}

/** @returns {Deed} */
export function resolve({ room, sid }) {
  return {
    title: `Resolve the incidents of ${room}`,
    explains: "Says that a person sees to it: the alert ends everywhere. Attempts go on.",
    button: "Resolve",
    async run(service, { reason }, key) {
      const { taken } = await service.send("POST", `${session(sid)}/resolve`, { note: reason }, key);
      return `${room}: ${counted(taken.length, "incident is", "incidents are")} resolved.`;
    },
  };
}

/** Of the sessions that a filter finds those that lack an agent. @returns {Deed} */
export function redispatchFound({ state, agent, cause }, count) {
  const which = [state && `in the state ${state}`, agent && `with the agent ${agent}`, cause && `with the cause ${cause}`];
  const told = which.filter(Boolean).join(", ");
  return {
    title: `Redispatch ${counted(count, "session")}`,
    explains: `Begins a new round of attempts in every session ${told || "that lacks an agent"}; agents that serve are left alone.`,
    button: "Redispatch them",
    run: (service, { reason }) => many(service, { state, agent, cause }, reason),
  };
}

/** @returns {Deed} */
export function recover(now) {
  return {
    title: "Recover everything since…",
    explains: "Begins a new round of attempts in every session that started since then and lacks an agent.",
    button: "Recover",
    fields: [
      { name: "since", label: "Since, in UTC", type: "time", value: minutesBefore(now, 15), required: true, hint: "The last time that a clock showed it." },
      { name: "verified", label: "Replace agents that serve, too", type: "checkbox" },
    ],
    run: (service, { since, verified, reason }) => many(service, { since: lastTime(since, now), verified: verified && "true" }, reason),
  };
}

// One request takes a thousand at most.
async function many(service, filter, reason) {
  const given = Object.entries(filter).filter(([, value]) => value);
  let [matched, taken, cursor] = [0, 0, null];
  do {
    const query = new URLSearchParams(cursor ? [...given, ["cursor", cursor]] : given);
    const answer = await service.send("POST", `redispatch?${query}`, { reason });
    matched += answer.matched;
    taken += answer.taken;
    cursor = answer.cursor;
  } while (cursor);
  return `A new round has begun in ${counted(taken, "session")} of ${matched.toLocaleString("en")} that were found.`;
}

/** @returns {Deed} */
export function pause(agent) {
  return {
    title: `Pause ${named(agent)}`,
    explains: "Nobody of this name is dispatched for a while, in any room. Who serves is not touched; who waits goes on waiting.",
    button: "Pause",
    grave: true,
    fields: [{ name: "duration", label: "For", type: "select", options: [["", "until it is resumed"], ...LASTING] }],
    async run(service, { duration, reason }) {
      await service.send("POST", `${agentPath(agent)}/pause`, duration ? { reason, duration } : { reason });
      return `${named(agent)} is paused.`;
    },
  };
}

/** @returns {Deed} */
export function resume(agent) {
  return {
    title: `Resume ${named(agent)}`,
    explains: "Ends the pause: every session that waited for this agent begins its round anew.",
    button: "Resume",
    async run(service, { reason }) {
      await service.send("POST", `${agentPath(agent)}/resume`, { reason });
      return `${named(agent)} is dispatched again.`;
    },
  };
}

/** @param {{room?: string, agent?: string, cause?: string, type?: string}} about what the form begins with @returns {Deed} */
export function silence(about = {}) {
  const match = { ...about, room: literal(about.room), agent: literal(about.agent) };
  const text = (name, label, hint) => ({ name, label, type: "text", value: match[name] ?? "", hint });
  return {
    title: "Silence alerts",
    explains: "No alert is sent for what matches, until the time is over. What goes on is shown here all the same. Fill in one field at the least.",
    button: "Silence",
    fields: [
      text("room", "Room", "A name, or a pattern: support-*"),
      text("agent", "Agent"),
      text("cause", "Cause"),
      text("type", "Type of alert"),
      { name: "duration", label: "For", type: "select", value: "2h", options: LASTING },
    ],
    async run(service, { duration, reason, ...fields }) {
      const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value));
      await service.send("POST", "silences", { match: given, duration, reason });
      return `Silenced: ${matching(given)}.`;
    },
  };
}

/** What a silence matches, in words. */
export function matching(match) {
  const parts = Object.entries(match).filter(([, value]) => value != null && value.length);
  return parts.map(([name, value]) => `${name} ${[value].flat().join(" or ")}`).join(", ");
}

/** @returns {Deed} */
export function endSilence({ id, match }) {
  return {
    title: "End the silence",
    explains: `What matches ${matching(match)} is told again, from now on.`,
    button: "End it",
    unreasoned: true,
    async run(service) {
      await service.send("DELETE", `silences/${encodeURIComponent(id)}`);
      return "The silence has ended.";
    },
  };
}

/** @returns {Deed} */
export function replay({ id, event, room }) {
  return {
    title: `Replay ${event}`,
    explains: `Sends the webhook${room ? ` of ${room}` : ""} through the door once more, signed by Rollcall itself. What was stored before is found to be a duplicate, and does nothing.`,
    button: "Replay",
    async run(service, { reason }) {
      const { outcome } = await service.send("POST", `inbox/${encodeURIComponent(id)}/replay`, { reason });
      return `${event} was replayed: ${outcome}.`;
    },
  };
}
