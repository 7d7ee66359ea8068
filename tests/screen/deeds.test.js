import assert from "node:assert/strict";
import { test } from "node:test";
import { cancel, endSilence, pause, recover, redispatch, redispatchFound, replay, resolve, resume, silence } from "../../orchestrator/web/screen/deeds.js";

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

test("a session is cancelled, and its incidents resolved, with the reason as each of them calls it", async () => {
  const service = answering({ taken: [{}, {}] }, { taken: [{}] });
  const at = { room: "a/b", sid: "RM_1" };
  assert.equal(await cancel(at).run(service, { reason: "wrong number" }, "one"), "a/b: 2 agents are not wanted any more.");
  assert.equal(await resolve(at).run(service, { reason: "calling them" }, "two"), "a/b: 1 incident is resolved.");
  assert.deepEqual(service.asked, [
    ["POST", "sessions/RM_1/cancel", { reason: "wrong number" }, "one"],
    ["POST", "sessions/RM_1/resolve", { note: "calling them" }, "two"],
  ]);
});

test("a silence begins with what was looked at, by that name alone, and is ended by its id", async () => {
  const service = answering({}, {});
  const deed = silence({ room: "a*{b}", agent: "mary" });
  const match = Object.fromEntries(deed.fields.filter(({ type }) => type === "text").map(({ name, value }) => [name, value]));
  assert.deepEqual(match, { room: "a[*][{]b[}]", agent: "mary", cause: "", type: "" });
  assert.equal(await deed.run(service, { ...match, duration: "2h", reason: "" }), "Silenced: room a[*][{]b[}], agent mary.");
  assert.equal(await endSilence({ id: "si/1", match: { agent: ["mary"] } }).run(service, {}), "The silence has ended.");
  assert.deepEqual(service.asked, [
    ["POST", "silences", { match: { room: "a[*][{]b[}]", agent: "mary" }, duration: "2h", reason: "" }],
    ["DELETE", "silences/si%2F1"],
  ]);
});

test("a webhook is replayed, and what became of it is said", async () => {
  const service = answering({ outcome: "duplicate" });
  const said = await replay({ id: "wh_1", event: "room_started", room: "a" }).run(service, { reason: "" });
  assert.deepEqual(service.asked, [["POST", "inbox/wh_1/replay", { reason: "" }]]);
  assert.equal(said, "room_started was replayed: duplicate.");
});
