import assert from "node:assert/strict";
import { test } from "node:test";
import { pause, recover, redispatch, redispatchFound, resume } from "../../orchestrator/web/screen/deeds.js";

/** A service that writes down what it is asked, and gives these answers in turn. */
function answering(...answers) {
  const asked = [];
  return { asked, send: async (...request) => (asked.push(request), answers.shift()) };
}

test("a session is dispatched again once, however often it is asked with one key", async () => {
  const service = answering({ taken: [{ agent_name: "" }] });
  const said = await redispatch({ room: "a/b", sid: "RM_1" }).run(service, { reason: "restarted" }, "key");
  assert.deepEqual(service.asked, [["POST", "sessions/RM_1/redispatch", { reason: "restarted" }, "key"]]);
  assert.equal(said, "a/b: a new round has begun for (unnamed).");
});

test("many are asked for by the filter, a thousand at a time until there are no more", async () => {
  const service = answering({ matched: 1_000, taken: 990, cursor: "unverified:x" }, { matched: 7, taken: 7, cursor: null });
  const said = await redispatchFound({ cause: "not_taken", agent: undefined, state: undefined }, 1_007).run(service, { reason: "" });
  assert.deepEqual(service.asked.map(([, path]) => path), ["redispatch?cause=not_taken", "redispatch?cause=not_taken&cursor=unverified%3Ax"]);
  assert.equal(said, "A new round has begun in 997 sessions of 1,007 that were found.");
});

test("everything since a time of day is asked for with the day", async () => {
  const service = answering({ matched: 0, taken: 0, cursor: null });
  const deed = recover("2026-11-21T10:55:00.000Z");
  assert.equal(deed.fields[0].value, "10:40");
  await deed.run(service, { since: "10:40", verified: "on", reason: "" });
  assert.equal(service.asked[0][1], "redispatch?since=2026-11-21T10%3A40%3A00.000Z&verified=true");
});

test("the agent without a name is paused and resumed by what stands for it", async () => {
  const service = answering({}, {});
  await pause("").run(service, { duration: "", reason: "" });
  await resume("").run(service, { reason: "done" });
  assert.deepEqual(service.asked, [["POST", "agents/(unnamed)/pause", { reason: "" }], ["POST", "agents/(unnamed)/resume", { reason: "done" }]]);
});
