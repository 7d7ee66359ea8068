import assert from "node:assert/strict";
import { test } from "node:test";
import { read, write } from "../../orchestrator/web/screen/address.js";
import { commands } from "../../orchestrator/web/screen/commands.js";
import { matching, silence } from "../../orchestrator/web/screen/deeds.js";
import { attemptSteps, steps } from "../../orchestrator/web/screen/timeline.js";
import { gap, lastTime, minutesBefore, span } from "../../orchestrator/web/screen/times.js";
import { drawn } from "../../orchestrator/web/screen/windowed.js";
import { refusal, standing } from "../../orchestrator/web/screen/words.js";

test("an address is read as it was written, whatever the room is called", () => {
  const odd = "support/17 & co?#%";
  assert.deepEqual(read(write("sessions", odd)), { view: "sessions", id: odd, query: {} });
  assert.deepEqual(read(write("sessions", undefined, { q: odd, state: "" })), { view: "sessions", id: undefined, query: { q: odd } });
});

test("an address that leads nowhere leads to the sessions", () => {
  for (const fragment of ["", "#", "#/", "#/nowhere/x", "#/toString"]) assert.deepEqual(read(fragment), { view: "sessions", id: undefined, query: {} });
  assert.equal(read("#/sessions/50%").id, "50%");
});

test("an age has two units at the most, and is never negative", () => {
  const from = "2026-11-21T10:00:00Z";
  const after = (seconds) => span(from, new Date(Date.parse(from) + seconds * 1_000).toISOString());
  assert.deepEqual([-5, 45, 182, 7_500, 273_600].map(after), ["0s", "45s", "3m 2s", "2h 5m", "3d 4h"]);
});

test("a gap is told to the millisecond below a minute, and may be negative", () => {
  assert.equal(gap("2026-11-21T10:00:00.000Z", "2026-11-21T10:00:00.004Z"), "+0.004 s");
  assert.equal(gap("2026-11-21T10:00:01.000Z", "2026-11-21T10:00:00.500Z"), "−0.500 s");
  assert.equal(gap("2026-11-21T10:00:00.000Z", "2026-11-21T10:02:03.000Z"), "+2m 3s");
});

test("a time of day is the last one that there was", () => {
  assert.equal(lastTime("10:40", "2026-11-21T11:00:00Z"), "2026-11-21T10:40:00.000Z");
  assert.equal(lastTime("23:50", "2026-11-21T00:10:00Z"), "2026-11-20T23:50:00.000Z");
  assert.equal(minutesBefore("2026-11-21T00:05:00Z", 15), "23:50");
});

test("each step has the gap to the one before it, the first to the start", () => {
  const timeline = [
    { at: "2026-11-21T10:00:00.004Z", event: "room_started", source: "webhook" },
    { at: "2026-11-21T10:00:06.004Z", event: "attempt_failed", source: "rollcall", agent_name: "mary", attempt: 1, cause: "not_taken" },
  ];
  assert.deepEqual(
    steps(timeline, "2026-11-21T10:00:00.000Z").map((step) => [step.gap, step.long, step.about]),
    [["+0.004 s", false, []], ["+6.000 s", true, ["mary", "attempt 1", "not_taken"]]],
  );
});

test("of an attempt the steps that it reached are told, each after the one before", () => {
  const attempt = { requested_at: "2026-11-21T10:00:00.000Z", accepted_at: "2026-11-21T10:00:00.010Z", joined_at: null, ended_at: "2026-11-21T10:00:06.010Z" };
  assert.deepEqual(attemptSteps(attempt), { accepted: "+0.010 s", ended: "+6.000 s" });
});

test("a room's name is nothing but a name to a shell", () => {
  const [, , dispatches] = commands({ room: "it's $(rm)", sid: "RM_1" }, "https://rollcall.example");
  assert.equal(dispatches.text, `lk dispatch list 'it'\\''s $(rm)'`);
});

test("one sentence says how many of how many are well", () => {
  const said = (by_state) => standing({ by_state });
  assert.deepEqual(said({}), { tone: "good", sentence: "No room waits for an agent." });
  assert.deepEqual(said({ verified: 1 }), { tone: "good", sentence: "The one room has its agent." });
  assert.deepEqual(said({ dispatching: 1 }), { tone: "busy", sentence: "The one room waits for its agent." });
  assert.deepEqual(said({ unverified: 1 }), { tone: "bad", sentence: "The one room lacks its agent." });
  assert.deepEqual(said({ verified: 4_120, unrouted: 3, ended: 9 }), { tone: "good", sentence: "All 4,120 rooms have their agent." });
  assert.deepEqual(said({ verified: 4, dispatching: 1 }), { tone: "busy", sentence: "4 of 5 rooms have their agent; 1 agent is on the way." });
  assert.deepEqual(said({ verified: 4, dispatching: 1, unverified: 1 }), { tone: "bad", sentence: "1 of 6 rooms lacks its agent." });
  assert.equal(said({ verified: 4, observed: 1 }).tone, "busy");
});

test("a refusal says what was said, what is near, and when to try again", () => {
  assert.equal(refusal(404, { detail: "None.", near: ["support-1"] }), "None. Did you mean support-1?");
  assert.equal(refusal(429, { title: "Too Many Requests" }, "5"), "Too Many Requests Try again in 5 s.");
  assert.equal(refusal(502, {}), "Rollcall answered 502.");
});

test("only the rows that are seen are drawn, and some to either side", () => {
  assert.deepEqual(drawn(5_000, 40, -300, 800), { first: 0, end: 25 });
  assert.deepEqual(drawn(5_000, 40, 40_000, 800), { first: 988, end: 1_032 });
  assert.deepEqual(drawn(5, 40, 40_000, 800), { first: 5, end: 5 });
});

test("a silence is asked for with the fields that are filled in, and told in words", async () => {
  const sent = [];
  const service = { send: async (...request) => sent.push(request) };
  const said = await silence({ room: "support-1" }).run(service, { room: "support-*", agent: "", cause: "", type: "", duration: "2h", reason: "load test" });
  assert.deepEqual(sent, [["POST", "silences", { match: { room: "support-*" }, duration: "2h", reason: "load test" }]]);
  assert.equal(said, "Silenced: room support-*.");
  assert.equal(matching({ room: null, cause: ["left", "silent"] }), "cause left or silent");
});
