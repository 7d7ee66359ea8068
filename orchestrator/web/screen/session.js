// One session's page: what is so, why, what helps, what happens next; then all that is known.

import { commands } from "./commands.js";
import { cancel, redispatch, resolve, silence } from "./deeds.js";
import { Copied, Does, Fact, Nothing, State, tone } from "./parts.js";
import { Placement } from "./placement.js";
import { Polled, usePolled } from "./polled.js";
import { exact, moment, span } from "./times.js";
import { steps, worded } from "./timeline.js";
import { html, Screen, useContext } from "./view.js";

export function Session({ id }) {
  const { feed, back } = useContext(Screen);
  const row = feed?.rows.get(id);
  const told = usePolled(`sessions/${encodeURIComponent(id)}`, row);
  return html`<p class="back"><a href=${back("sessions")}>← Sessions</a></p>
    <${Polled} told=${told} what="the session">${(session) => html`<${Page} session=${session} />`}<//>`;
}

function Page({ session }) {
  const worst = session.placements.find((placement) => placement.cause);
  const over = session.state === "ended";
  return html`<article>
    <div class="title">
      <h1>${session.room || session.sid}</h1>
      <${State} word=${session.state} note=${session.outcome && session.outcome !== session.state ? session.outcome : undefined} />
    </div>
    <${Verdict} session=${session} cause=${worst} />
    <div class="buttons">
      <${Does} main=${session.state === "unverified"} deed=${() => redispatch(session)} why=${over && "the session has ended"}>Redispatch…<//>
      <${Does} deed=${() => resolve(session)} why=${over && "the session has ended"}>Resolve…<//>
      <${Does} deed=${() => silence({ room: session.room, agent: worst?.agent_name })}>Silence…<//>
      <${Does} deed=${() => cancel(session)} why=${over && "the session has ended"}>Cancel…<//>
    </div>
    <${Facts} session=${session} />
    ${session.placements.map((placement) => html`<${Placement} key=${placement.agent_name} placement=${placement} />`)}
    <${Timeline} session=${session} />
    <${Shell} session=${session} />
    <section aria-labelledby="raw"><h2 id="raw">Raw</h2>
      <details><summary>The session as JSON</summary><pre tabindex="0">${JSON.stringify(session, null, 2)}</pre></details></section>
  </article>`;
}

function Verdict({ session, cause }) {
  return html`<div class="verdict" data-tone=${tone(session.state)}>
    <p class="why">${session.verdict}</p>
    <dl>
      ${cause && html`<${Fact} term="Cause"><code>${cause.cause}</code>${session.links.runbook && html` <a href=${session.links.runbook}>Runbook</a>`}<//>`}
      ${cause?.fix && html`<${Fact} term="What helps">${cause.fix}<//>`}
      <${Fact} term="What happens next">${session.next ? sentence(session.next) : "Nothing happens by itself."}<//>
    </dl>
    ${session.warnings.length > 0 && html`<ul class="warnings">${session.warnings.map((warning) => html`<li key=${warning}>${warning}</li>`)}</ul>`}
  </div>`;
}

const sentence = (words) => `${words[0].toUpperCase()}${words.slice(1)}${/[.!]$/.test(words) ? "" : "."}`;

function Facts({ session }) {
  const { now } = useContext(Screen);
  const age = span(session.started_at, session.ended_at ?? now);
  return html`<dl class="facts">
    <${Fact} term="Started"><time datetime=${session.started_at}>${moment(session.started_at)}</time> UTC<//>
    <${Fact} term=${session.ended_at ? "Lasted" : "Age"}>${age}<//>
    <${Fact} term="People in the room">${session.people}<//>
    <${Fact} term="Sid"><code>${session.sid}</code><//>
  </dl>`;
}

function Timeline({ session }) {
  return html`<section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>
    <table class="timeline">
      <caption class="unseen">What happened, oldest first, with how long after the step before it; times are UTC</caption>
      <thead><tr><th scope="col" class="number">Time (UTC)</th><th scope="col" class="number">Gap</th><th scope="col">What</th><th scope="col" class="wide">About</th><th scope="col" class="wide">Told by</th></tr></thead>
      <tbody>${steps(session.timeline, session.started_at).map((step) => html`<tr>
        <td class="number"><time datetime=${step.at}>${exact(step.at)}</time></td>
        <td class="number gap" data-long=${step.long}>${step.gap}</td>
        <th scope="row">${worded(step.event)}<small class="narrow">${step.about.join(" · ")}</small></th>
        <td class="wide about">${step.about.length ? step.about.join(" · ") : html`<${Nothing} />`}</td>
        <td class="wide">${step.source}</td>
      </tr>`)}</tbody>
    </table></section>`;
}

function Shell({ session }) {
  const base = new URL(".", document.baseURI).href.replace(/\/$/, "");
  return html`<section aria-labelledby="shell"><h2 id="shell">In a shell</h2>
    ${commands(session, base).map(({ label, text }) => html`<${Copied} key=${label} label=${label} text=${text} />`)}</section>`;
}
