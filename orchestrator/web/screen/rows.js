// The sessions of the feed as rows of a table: what each shows, which ones a filter means, and which come first.

/** @typedef {{state?: string, agent?: string, cause?: string, q?: string}} Filter */

export const UNNAMED = "(unnamed)";

/** The states of a session, the worst first. */
export const STATES = ["unverified", "dispatching", "observed", "verified", "unrouted", "ended"];

const OF_PLACEMENTS = ["unverified", "lost", "dispatching", "waiting", "ended", "verified", "cancelled"];

export const named = (agent) => agent || UNNAMED;

/** The latest that is known of an agent's presence: the level, and when it was reached where that is told. */
function lastProof(placement) {
  const at = placement.pulse_at ?? placement.verified_at;
  return { level: placement.proof, at: placement.proof === "none" || placement.proof === "requested" ? null : at };
}

/** A row of the feed with what the table shows of it, worked out once for each time that it has changed. */
export function prepared(row) {
  const placements = [...row.placements].sort((a, b) => OF_PLACEMENTS.indexOf(a.state) - OF_PLACEMENTS.indexOf(b.state));
  const worst = placements[0];
  return {
    ...row,
    rank: STATES.indexOf(row.state),
    agents: placements.map((placement) => named(placement.served_by ?? placement.agent_name)),
    wanted: placements.map((placement) => named(placement.agent_name)),
    attempts: placements.reduce((sum, placement) => sum + placement.attempts_total, 0),
    causes: [...new Set(placements.map((placement) => placement.cause).filter(Boolean))],
    proof: worst ? lastProof(worst) : undefined,
    needle: `${row.room}\n${row.sid}`.toLowerCase(),
  };
}

/** @param {Filter} filter */
export function matches(row, { state, agent, cause, q }) {
  if (state ? row.state !== state : row.state === "ended") return false;
  if (agent && !row.wanted.includes(agent) && !row.agents.includes(agent)) return false;
  if (cause && !row.causes.includes(cause)) return false;
  return !q || row.needle.includes(q.trim().toLowerCase());
}

/** The worst first, and of those that are as bad the newest. */
export function worstFirst(a, b) {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.started_at !== b.started_at) return a.started_at < b.started_at ? 1 : -1;
  return a.sid < b.sid ? 1 : -1;
}

/** @param {Iterable<object>} rows @param {Filter} filter */
export function found(rows, filter) {
  const matching = [];
  for (const row of rows) if (matches(row, filter)) matching.push(row);
  return matching.sort(worstFirst);
}

/** What of the rows can be chosen in a filter: the names of agents, and causes. */
export function choices(rows) {
  const agents = new Set();
  const causes = new Set();
  for (const row of rows) {
    for (const agent of row.wanted) agents.add(agent);
    for (const cause of row.causes) causes.add(cause);
  }
  return { agents: [...agents].sort(), causes: [...causes].sort() };
}

/** Whether somebody is waited for in it, as the service means it when it redispatches many. */
export const lacking = (row) => row.state === "unverified" || row.state === "dispatching";
