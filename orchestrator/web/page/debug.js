// The debug page: the form, its buttons, and what they set in motion.

import { Call } from "./call.js";
import { Meter } from "./meter.js";
import { Proof } from "./proof.js";
import { Rollcall } from "./rollcall.js";
import { Transcript } from "./transcript.js";
import * as words from "./words.js";

const LOOK_EVERY = 500;

const $ = (id) => document.getElementById(id);
const typed = (id) => $(id).value.trim();

const rollcall = new Rollcall((scope) => (scope === "mint" && typed("mint-token")) || typed("operate-token"));
const proof = new Proof($("verdict"), $("placements"), $("warnings"));
const transcript = new Transcript($("transcript"));
const agentLevel = new Meter($("agent-level"), $("agent-decibels"));
const myLevel = new Meter($("my-level"), $("my-decibels"));

let agents = [];
let call;
let sound;
let looking;

// --- what the page says ---

function say(text) {
  $("status").textContent = text;
}

function complain(text) {
  $("error").textContent = text ?? "";
  $("error").hidden = !text;
}

function phase(name) {
  const focused = document.activeElement;
  document.body.dataset.phase = name;
  $("connect").disabled = name !== "idle";
  $("disconnect").disabled = name === "idle";
  $("mute").disabled = name !== "connected";
  if (name === "idle") {
    $("hear").hidden = true;
    pressed(false);
  }
  // Who goes by keyboard stays among the buttons.
  if (focused.disabled) $(name === "idle" ? "connect" : "disconnect").focus();
}

function pressed(muted) {
  $("mute").setAttribute("aria-pressed", String(muted));
  $("mute").textContent = muted ? "Unmute" : "Mute";
}

// --- whom one can call ---

function hint() {
  $("agent-hint").textContent = words.workers(agents, typed("agent"));
}

async function listAgents() {
  hint();
  if (document.body.dataset.tokens === "needed" && !typed("operate-token")) return;
  const first = !agents.length;
  try {
    agents = (await rollcall.agents()).filter((agent) => agent.agent_name); // the empty name is what the routes choose
    $("agents").replaceChildren(...agents.map(({ agent_name: name }) => new Option(name, name)));
    const likely = agents.find((agent) => agent.state === "serving") ?? agents[0];
    if (first && likely && !typed("agent")) $("agent").value = likely.agent_name;
    hint();
  } catch (error) {
    $("agent-hint").textContent = `Which agents there are is not known; type a name. ${error.message}`;
  }
}

// --- the call ---

const told = {
  heard(track) {
    $("audio").append(track.attach());
    agentLevel.add(track.mediaStreamTrack);
  },
  unheard(track) {
    agentLevel.remove(track.mediaStreamTrack);
    for (const audio of track.detach()) audio.remove();
  },
  microphone: (track) => myLevel.add(track.mediaStreamTrack),
  text: (reader, who) => transcript.read(reader, who).catch(() => {}), // cut off in the middle: what came is shown
  playable: (yes) => ($("hear").hidden = yes),
  status: say,
  ended(reason) {
    complain(words.ending(reason));
    hungUp();
  },
};

function asked() {
  const request = {};
  if (typed("room")) request.room_name = typed("room");
  if (typed("identity")) request.participant_identity = typed("identity");
  if (typed("agent")) {
    const agent = { agent_name: typed("agent") };
    if (typed("metadata")) agent.metadata = typed("metadata");
    request.room_config = { agents: [agent] };
  }
  return request;
}

async function connect() {
  complain();
  phase("connecting");
  say("Asking Rollcall for a token.");
  transcript.clear();
  // In the click itself: browsers let nothing sound that nobody asked for.
  sound = new AudioContext();
  agentLevel.start(sound);
  myLevel.start(sound);
  proof.begin();
  const mine = (call = new Call(told));
  try {
    const entry = await rollcall.enter(asked());
    if (call !== mine) return;
    say(`Connecting to room ${entry.room}.`);
    look(entry.room);
    const sid = await mine.connect(entry.url, entry.token);
    if (call !== mine) return;
    look(sid); // a name may have an older session
    phase("connected");
    say(`Connected to room ${entry.room} (${sid}).`);
  } catch (error) {
    if (call !== mine) return;
    if (error.scope) $("mint-field").hidden = false;
    complain(error.message);
    await disconnect();
    return;
  }
  try {
    await mine.speak();
  } catch (error) {
    if (call !== mine) return;
    complain(words.microphone(error));
    $("mute").disabled = true;
  }
}

function hungUp() {
  call = undefined;
  agentLevel.stop();
  myLevel.stop();
  $("audio").replaceChildren();
  sound?.close();
  sound = undefined;
  phase("idle");
  say("Not connected.");
  stopLooking();
  listAgents();
}

async function disconnect() {
  const ending = call;
  hungUp();
  await ending?.end();
}

// --- what Rollcall sees ---

function look(roomOrSid) {
  stopLooking();
  const mine = (looking = { timer: undefined });
  const once = async () => {
    try {
      const session = await rollcall.session(roomOrSid);
      if (looking !== mine) return;
      proof.show(session);
    } catch (error) {
      if (looking !== mine) return;
      proof.unknown(error.message);
    }
    mine.timer = setTimeout(once, LOOK_EVERY);
  };
  once();
}

function stopLooking() {
  clearTimeout(looking?.timer);
  looking = undefined;
}

// --- the form ---

$("call-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!call) connect();
});
$("agent").addEventListener("input", hint);
$("disconnect").addEventListener("click", disconnect);
$("hear").addEventListener("click", () => call?.hear());
$("mute").addEventListener("click", async () => {
  const muted = $("mute").getAttribute("aria-pressed") !== "true";
  try {
    await call?.mute(muted);
    pressed(muted);
  } catch (error) {
    complain(words.microphone(error));
  }
});
$("operate-token").addEventListener("change", () => {
  complain();
  listAgents();
});
document.addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) => {
  document.body.dataset.violations = `${document.body.dataset.violations ?? ""} ${effectiveDirective} ${blockedURI}`;
  if (effectiveDirective === "connect-src") complain(`Rollcall does not allow this page to reach ${blockedURI}.`);
});

$("operate-field").hidden = document.body.dataset.tokens !== "needed";
phase("idle");
listAgents();
