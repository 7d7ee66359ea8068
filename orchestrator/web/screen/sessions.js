// The table of sessions: the worst first, filtered by what stands in the address.

import { write } from "./address.js";
import { recover, redispatchFound } from "./deeds.js";
import { Does, Loading, Nothing, State } from "./parts.js";
import { choices, found, lacking, STATES, UNNAMED } from "./rows.js";
import { span } from "./times.js";
import { html, Screen, useContext, useLayoutEffect, useMemo, useRef, useState } from "./view.js";
import { drawn } from "./windowed.js";
import { counted } from "./words.js";

export function Sessions() {
  const { feed, place, now } = useContext(Screen);
  const { state, agent, cause, q } = place.query;
  const rows = useMemo(() => found(feed?.rows.values() ?? [], { state, agent, cause, q }), [feed?.rows, state, agent, cause, q]);
  if (!feed) return html`<h1 class="unseen">Sessions</h1><${Loading} what="the sessions" />`;
  return html`<h1 class="unseen">Sessions</h1>
    <${Filters} feed=${feed} />
    <${Bulk} rows=${rows} now=${now} />
    ${feed.truncated && html`<p class="note">There are more sessions than this page holds: the newest 10,000 are shown.</p>`}
    ${rows.length ? html`<${Table} rows=${rows} />` : html`<${None} />`}`;
}

function Filters({ feed }) {
  const { place, refine } = useContext(Screen);
  const { query } = place;
  const { agents, causes } = useMemo(() => choices(feed.rows.values()), [feed.rows]);
  const set = (name) => ({ target }) => refine({ ...query, [name]: target.value });
  return html`<${States} summary=${feed.summary} />
    <form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
      <p class="field grows"><label for="q">Room or sid</label>
        <input id="q" type="search" value=${query.q ?? ""} onInput=${set("q")} autocomplete="off" autocapitalize="none" spellcheck="false" /></p>
      <${Choice} name="agent" label="Agent" none="any agent" given=${agents} chosen=${query.agent} set=${set("agent")} />
      <${Choice} name="cause" label="Cause" none="any cause" given=${causes} chosen=${query.cause} set=${set("cause")} />
    </form>`;
}

function Choice({ name, label, none, given, chosen = "", set }) {
  const shown = chosen && !given.includes(chosen) ? [chosen, ...given] : given;
  return html`<p class="field"><label for=${name}>${label}</label>
    <select id=${name} value=${chosen} onChange=${set}>
      <option value="">${none}</option>
      ${shown.map((value) => html`<option key=${value} value=${value}>${value}</option>`)}
    </select></p>`;
}

function States({ summary }) {
  const { place } = useContext(Screen);
  const { state: chosen, ...rest } = place.query;
  const link = (state, count, text) => html`<li key=${text}>
    <a href=${write("sessions", undefined, { ...rest, state })} aria-current=${(chosen ?? "") === state ? "true" : undefined} data-tone=${state}>
      ${text} <span class="count">${count.toLocaleString("en")}</span></a></li>`;
  return html`<nav aria-label="States"><ul class="tabs">
    ${link("", summary.live, "live")}
    ${STATES.filter((state) => summary.by_state[state] || state === chosen || state === "unverified").map((state) => link(state, summary.by_state[state] ?? 0, state))}
  </ul></nav>`;
}

function Bulk({ rows, now }) {
  const { place } = useContext(Screen);
  const { state, agent, cause, q } = place.query;
  const meant = state ? rows.length : rows.filter(lacking).length;
  let why;
  if (q) why = "many are chosen by state, agent and cause: clear the search";
  else if (agent === UNNAMED) why = "the agent without a name cannot be chosen for many: redispatch one by one";
  else if (state === "ended") why = "nothing is dispatched in sessions that have ended";
  else if (!meant) why = "no session lacks an agent";
  return html`<div class="bulk">
    <p>${counted(rows.length, "session")}${q || agent || cause || state ? " found" : ""}</p>
    <div class="buttons">
      <${Does} deed=${() => redispatchFound({ state, agent, cause }, meant)} why=${why}>Redispatch ${meant ? meant.toLocaleString("en") : "them"}<//>
      <${Does} deed=${() => recover(now)}>Recover since…<//>
    </div>
  </div>`;
}

function None() {
  const { place } = useContext(Screen);
  const { q } = place.query;
  return html`<div class="none">
    <p>No session here is like that.</p>
    ${q && html`<p><a href=${write("sessions", q.trim())}>Look for the last session of the room ${q.trim()}</a>, which may have ended.</p>`}
    ${Object.keys(place.query).length > 0 && html`<p><a href="#/sessions">Show all that live</a></p>`}
  </div>`;
}

/** Which rows are drawn now, and how high one is: as the style sheet says, which knows narrow screens. */
function useDrawn(body, count) {
  const [range, setRange] = useState({ first: 0, end: 40, height: 44 });
  useLayoutEffect(() => {
    let frame;
    const look = () => {
      frame = undefined;
      if (!body.current) return;
      const height = parseFloat(getComputedStyle(body.current).getPropertyValue("--row")) * parseFloat(getComputedStyle(document.documentElement).fontSize);
      const next = { ...drawn(count, height, -body.current.getBoundingClientRect().top, innerHeight), height };
      setRange((before) => (before.first === next.first && before.end === next.end && before.height === height ? before : next));
    };
    const soon = () => (frame ??= requestAnimationFrame(look));
    look();
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", soon);
      removeEventListener("resize", soon);
    };
  }, [count]);
  return range;
}

function Table({ rows }) {
  const table = useRef();
  const range = useDrawn(table, rows.length);
  const first = Math.min(range.first, rows.length);
  const end = Math.min(range.end, rows.length);

  // The arrow keys go from row to row; the Tab key does, too. Keys may come faster than rows are drawn: then the row that
  // they lead to is scrolled to, and has the focus as soon as it is there.
  const awaited = useRef(null);
  const focus = (row) => {
    const link = table.current.querySelector(`[data-row="${row}"]`);
    link?.focus();
    awaited.current = link ? null : row;
  };
  const move = (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const at = Number(event.target.dataset?.row ?? NaN);
    if (!by || Number.isNaN(at)) return;
    event.preventDefault();
    focus(Math.min(Math.max((awaited.current ?? at) + by, 0), rows.length - 1));
    if (awaited.current !== null) scrollBy(0, by * range.height);
  };
  useLayoutEffect(() => {
    if (awaited.current !== null) focus(awaited.current);
  });

  return html`<table class="sessions" ref=${table} aria-rowcount=${rows.length + 1} onKeyDown=${move}>
    <caption class="unseen">Sessions, the worst first, then the newest</caption>
    <thead><tr aria-rowindex="1">
      <th scope="col" class="of-state">State</th>
      <th scope="col">Room</th>
      <th scope="col" class="wide">Agent</th>
      <th scope="col" class="wide number">Attempts</th>
      <th scope="col" class="number of-age">Age</th>
      <th scope="col" class="wide">Last proof</th>
      <th scope="col" class="wide">Cause</th>
    </tr></thead>
    <${Space} rows=${first} height=${range.height} />
    <tbody>
      ${rows.slice(first, end).map((row, index) => html`<${Row} key=${row.sid} row=${row} at=${first + index} />`)}
    </tbody>
    <${Space} rows=${rows.length - end} height=${range.height} />
  </table>`;
}

/** The place of rows that are not drawn. */
const Space = ({ rows, height }) =>
  rows > 0 ? html`<tbody aria-hidden="true"><tr class="space"><td style=${{ height: `${rows * height}px` }}></td></tr></tbody>` : null;

function Row({ row, at }) {
  const { now } = useContext(Screen);
  const cause = row.causes.join(", ");
  const agents = row.agents.join(", ");
  return html`<tr aria-rowindex=${at + 2} data-sid=${row.sid}>
    <td><${State} word=${row.state} /></td>
    <th scope="row"><a href=${write("sessions", row.sid)} data-row=${at}>${row.room || row.sid}</a>
      <small class="narrow">${[agents, cause].filter(Boolean).join(" · ")}</small></th>
    <td class="wide">${agents || html`<${Nothing} />`}</td>
    <td class="wide number">${row.attempts}</td>
    <td class="number">${span(row.started_at, row.ended_at ?? now)}</td>
    <td class="wide"><${Proof} proof=${row.proof} now=${now} /></td>
    <td class="wide">${cause ? html`<code>${cause}</code>` : html`<${Nothing} />`}</td>
  </tr>`;
}

function Proof({ proof, now }) {
  if (!proof || proof.level === "none") return html`<${Nothing} />`;
  return html`${proof.level}${proof.at && html` <small>${span(proof.at, now)} ago</small>`}`;
}
