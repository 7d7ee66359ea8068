import assert from "node:assert/strict";
import { test } from "node:test";
import { Feed } from "../../orchestrator/web/screen/feed.js";
import { choices, found, matches, prepared } from "../../orchestrator/web/screen/rows.js";

const placement = (changes = {}) => ({
  agent_name: "mary", state: "verified", proof: "answering", cause: null, attempts_total: 1, served_by: null,
  verified_at: "2026-11-21T10:00:01.000Z", deadline_at: "2026-11-21T10:01:30.000Z", pulse_at: null, ...changes,
});

const row = (sid, changes = {}) => ({
  room: `room of ${sid}`, sid, state: "verified", started_at: "2026-11-21T10:00:00.000Z", updated_at: "1", placements: [placement()], ...changes,
});

const at = (seconds) => new Date(Date.parse("2026-11-21T10:00:00Z") + seconds * 1_000).toISOString();

const sids = (rows, filter = {}) => found(rows.map(prepared), filter).map(({ sid }) => sid);

test("the worst session comes first, and of those that are as bad the newest", () => {
  const rows = [row("old"), row("new", { started_at: at(9) }), row("lacks", { state: "unverified" }), row("waits", { state: "dispatching" })];
  assert.deepEqual(sids(rows), ["lacks", "waits", "new", "old"]);
});

test("sessions that have ended are shown to whoever asks for them", () => {
  const rows = [row("lives"), row("over", { state: "ended" })];
  assert.deepEqual(sids(rows), ["lives"]);
  assert.deepEqual(sids(rows, { state: "ended" }), ["over"]);
});

test("a filter means the agent that is wanted and the one that serves in its place", () => {
  const rows = [row("mine", { placements: [placement({ served_by: "tom" })] }), row("other", { placements: [placement({ agent_name: "anna" })] })];
  assert.deepEqual(sids(rows, { agent: "mary" }), ["mine"]);
  assert.deepEqual(sids(rows, { agent: "tom" }), ["mine"]);
});

test("the agent without a name can be chosen", () => {
  const rows = [row("unnamed", { placements: [placement({ agent_name: "" })] }), row("named")];
  assert.deepEqual(sids(rows, { agent: "(unnamed)" }), ["unnamed"]);
});

test("a room is found by a part of its name in any case, and by its sid", () => {
  const one = prepared(row("RM_a", { room: "Support-17" }));
  assert.ok(matches(one, { q: " support-1" }) && matches(one, { q: "rm_A" }));
  assert.ok(!matches(one, { q: "support-2" }));
});

test("of several placements the worst is told first, and all attempts are counted", () => {
  const both = [placement({ attempts_total: 2 }), placement({ agent_name: "tom", state: "unverified", proof: "accepted", cause: "not_taken", attempts_total: 6, verified_at: null })];
  const { agents, attempts, causes, proof } = prepared(row("x", { placements: both }));
  assert.deepEqual([agents, attempts, causes, proof], [["tom", "mary"], 8, ["not_taken"], { level: "accepted", at: null }]);
});

test("a session without placements is a row all the same", () => {
  assert.deepEqual(prepared(row("x", { state: "unrouted", placements: [] })).causes, []);
});

test("one can choose among what there is", () => {
  const rows = [row("a", { placements: [placement({ cause: "left" })] }), row("b", { placements: [placement({ agent_name: "anna" })] })].map(prepared);
  assert.deepEqual(choices(rows), { agents: ["anna", "mary"], causes: ["left"] });
});

test("a change replaces rows and takes away those that are gone", () => {
  const feed = new Feed();
  feed.snapshot({ at: at(0), summary: { live: 2 }, sessions: [row("a"), row("b")], truncated: false });
  feed.changed({ at: at(1), summary: { live: 1 }, sessions: [row("a", { state: "unverified" })], gone: ["b"] });
  assert.deepEqual([...feed.rows.values()].map(({ sid, state }) => [sid, state]), [["a", "unverified"]]);
  assert.deepEqual([feed.at, feed.summary], [at(1), { live: 1 }]);
});

test("what says only how late it is leaves the rows as they are", () => {
  const feed = new Feed();
  feed.snapshot({ at: at(0), summary: {}, sessions: [row("a")], truncated: false });
  const before = feed.rows;
  feed.changed({ at: at(5), summary: {}, sessions: [], gone: [] });
  assert.equal(feed.rows, before);
});

test("a new snapshot forgets what it does not name, and takes what has changed", () => {
  const feed = new Feed();
  feed.snapshot({ at: at(0), summary: {}, sessions: [row("a"), row("b"), row("c")], truncated: false });
  const kept = feed.rows.get("b");
  feed.snapshot({ at: at(9), summary: {}, sessions: [row("b"), row("c", { updated_at: "2", room: "renamed" })], truncated: true });
  assert.deepEqual([...feed.rows.keys()], ["b", "c"]);
  assert.equal(feed.rows.get("b"), kept);
  assert.equal(feed.rows.get("c").room, "renamed");
});
