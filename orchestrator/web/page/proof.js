// How sure Rollcall is that the agent is there: a table per placement, and the verdict above them.

const LEVELS = {
  requested: "Asked for",
  accepted: "By LiveKit, which proves nothing",
  joined: "In the room",
  answering: "Its process answers",
  ready: "It says that it can serve",
};
const NAMES = Object.keys(LEVELS);

const SHOWN_ONCE = new Set(["pulse", "updated_at"]);

export class Proof {
  #began = 0;
  #seen = new Map();
  #shown = "";

  constructor(verdict, placements, warnings) {
    Object.assign(this, { verdict, placements, warnings });
  }

  // Times are told from here on, too, by this machine's clock alone.
  begin() {
    this.#began = performance.now();
    this.#seen.clear();
    this.#shown = "";
    this.verdict.textContent = "Nobody was asked for yet.";
    this.placements.replaceChildren();
    this.warnings.replaceChildren();
  }

  // `session` is null while Rollcall has none of this room.
  show(session) {
    if (!session) {
      this.verdict.textContent = "Rollcall has not heard of this room yet.";
      return;
    }
    // That the agent answered once more is no reason for a new table.
    const now = JSON.stringify(session, (key, value) => (SHOWN_ONCE.has(key) ? undefined : value));
    if (now === this.#shown) return;
    this.#shown = now;
    this.verdict.textContent = [session.verdict, session.next].filter(Boolean).join(" ");
    this.placements.replaceChildren(...session.placements.map((placement) => this.#placement(session, placement)));
    this.warnings.replaceChildren(...session.warnings.map((warning) => element("li", warning)));
  }

  // The record could not be read; what was shown last stays.
  unknown(why) {
    this.#shown = "";
    this.verdict.textContent = `Rollcall's record of the room cannot be read. ${why}`;
  }

  #placement(session, placement) {
    const attempt = placement.attempts.at(-1);
    const table = element("table");
    Object.assign(table.dataset, { agent: placement.agent_name, state: placement.state, proof: placement.proof });
    const which = attempt && attempt.number > 1 ? `, attempt ${attempt.number}` : "";
    const caption = element("caption", `${attempt?.agent_name || placement.agent_name || "any agent"}: ${placement.state}${which}`);
    const head = element("tr");
    for (const title of ["Proof", "Reached", "At", "Seen after"]) head.append(heading(title, "col"));
    const body = element("tbody");
    body.append(...NAMES.map((level) => this.#level(level, session, placement, attempt)));
    table.append(caption, element("thead", head), body);
    const parts = [table];
    if (placement.cause) parts.push(cause(session, placement));
    return element("div", ...parts);
  }

  #level(level, session, placement, attempt) {
    const reached = NAMES.indexOf(placement.proof) >= NAMES.indexOf(level);
    const row = element("tr");
    Object.assign(row.dataset, { level, reached });
    const name = heading(level, "row");
    name.append(element("small", LEVELS[level]));
    row.append(name, element("td", reached ? "✓ yes" : "no"));
    if (reached) {
      const first = this.#first(level, session, placement, attempt);
      row.append(element("td", first.at ? clock(first.at) : "–"), element("td", `${(first.after / 1000).toFixed(2)} s`));
    } else {
      row.append(element("td", "–"), element("td", "–"));
    }
    return row;
  }

  // When a level of this attempt was reached by Rollcall's record, and when this page first saw it.
  #first(level, session, placement, attempt) {
    const key = `${placement.agent_name}/${attempt?.number}/${level}`;
    if (!this.#seen.has(key)) {
      const ready = session.timeline.findLast((line) => line.event === "agent_ready" && line.identity === placement.identity);
      const at = {
        requested: attempt?.requested_at,
        accepted: attempt?.accepted_at,
        joined: attempt?.joined_at,
        answering: placement.pulse?.at,
        ready: ready?.at,
      }[level];
      this.#seen.set(key, { at, after: performance.now() - this.#began });
    }
    return this.#seen.get(key);
  }
}

function cause(session, placement) {
  const code = element("code", placement.cause);
  const paragraph = element("p", "Cause: ", code, `. ${placement.fix ?? ""} `);
  paragraph.className = "cause";
  if (session.links.runbook) {
    paragraph.append(Object.assign(element("a", "Runbook"), { href: new URL(session.links.runbook, document.baseURI).href }));
  }
  return paragraph;
}

function element(name, ...content) {
  const made = document.createElement(name);
  made.append(...content);
  return made;
}

function heading(text, scope) {
  return Object.assign(element("th", text), { scope });
}

function clock(time) {
  const at = new Date(time);
  return `${at.toLocaleTimeString([], { hour12: false })}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}
