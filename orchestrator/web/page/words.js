// What can go wrong, in words for the person in front of the page.

const MICROPHONE = {
  NotAllowedError: "The browser refuses this page the microphone. Allow it in the address bar, disconnect, and connect again.",
  NotFoundError: "This machine has no microphone.",
  NotReadableError: "The microphone cannot be opened: another program may hold it.",
};

export function microphone(error) {
  if (!navigator.mediaDevices) {
    return "The browser gives the microphone to pages from https or from localhost only. You can hear, and are not heard.";
  }
  return `${MICROPHONE[error.name] ?? `The microphone cannot be opened: ${error.message}.`} You can hear, and are not heard.`;
}

const WORKERS = {
  serving: "Its workers have room.",
  full: "All of its workers are full.",
  draining: "Its workers are about to stop and take nobody more.",
  offline: "None of its workers is there now.",
  unannounced: "Of its workers nothing is known.",
};

// What is known of an agent's workers; `agents` is the answer of GET /agents.
export function workers(agents, name) {
  if (!name) return "Empty: whom the routes choose.";
  if (!agents.length) return "";
  const known = agents.find((agent) => agent.agent_name === name);
  return known ? (WORKERS[known.state] ?? "") : "Not one that is known here.";
}

const ADVICE = {
  401: "Check the API token.",
  404: "Does this service have that address?",
  503: "Its store may be down.",
};

// A refusal of Rollcall: RFC 9457's detail, what is near to what was asked, and what helps.
export function refusal(status, problem, retryAfter) {
  const said = problem.detail ?? problem.title ?? `Rollcall answered ${status}.`;
  const near = [problem.near ?? []].flat().filter((name) => !said.includes(name));
  const parts = [said];
  if (near.length) parts.push(`Did you mean ${near.join(", ")}?`);
  if (status === 429) parts.push(retryAfter ? `Ask again in ${retryAfter} s.` : "Ask again in a while.");
  else if (ADVICE[status]) parts.push(ADVICE[status]);
  return parts.join(" ");
}

const ENDS = {
  DUPLICATE_IDENTITY: "Somebody else entered the room under your identity.",
  SERVER_SHUTDOWN: "The LiveKit server is stopping.",
  PARTICIPANT_REMOVED: "You were removed from the room.",
  ROOM_DELETED: "The room was closed.",
  ROOM_CLOSED: "The room was closed.",
  STATE_MISMATCH: "The connection to LiveKit was lost.",
  JOIN_FAILURE: "LiveKit did not let you in.",
  SIGNAL_CLOSE: "The connection to LiveKit was lost.",
  CONNECTION_TIMEOUT: "The connection to LiveKit was lost.",
  MEDIA_FAILURE: "No sound could be exchanged with LiveKit: a firewall may stop UDP.",
};

// Why a call has ended; undefined when the person ended it.
export function ending(reason) {
  if (reason === "CLIENT_INITIATED") return undefined;
  return ENDS[reason] ?? "The connection to LiveKit was lost.";
}
