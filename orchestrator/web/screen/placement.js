// One agent that a session must have: how sure it is that it is there, and every attempt to get it there.

import { Ago, Fact, Nothing, State } from "./parts.js";
import { named } from "./rows.js";
import { exact } from "./times.js";
import { attemptSteps } from "./timeline.js";
import { html } from "./view.js";

const LEVELS = ["requested", "accepted", "joined", "answering", "ready"];

export function Placement({ placement }) {
  const id = `placement-${encodeURIComponent(placement.agent_name)}`;
  return html`<section aria-labelledby=${id} class="placement">
    <div class="title"><h2 id=${id}>${named(placement.agent_name)}</h2><${State} word=${placement.state} /></div>
    <${Proof} level=${placement.proof} />
    <dl class="facts">
      ${placement.served_by !== null && html`<${Fact} term="Served by">${named(placement.served_by)}<//>`}
      ${placement.time_to_agent_ms !== null && html`<${Fact} term="Time to agent">${(placement.time_to_agent_ms / 1_000).toFixed(2)} s<//>`}
      ${placement.pulse && html`<${Fact} term="Answered"><${Ago} at=${placement.pulse.at} />${placement.pulse.rtt_ms !== null && `, in ${placement.pulse.rtt_ms} ms`}<//>`}
      ${placement.awaited && html`<${Fact} term="Waits for">${placement.awaited}<//>`}
      ${placement.identity && html`<${Fact} term="Participant"><code>${placement.identity}</code><//>`}
    </dl>
    ${placement.attempts.length > 0 && html`<${Attempts} placement=${placement} />`}
  </section>`;
}

function Proof({ level }) {
  const reached = LEVELS.indexOf(level);
  return html`<ol class="proof" aria-label="Proof">${LEVELS.map((name, index) => html`<li key=${name} data-reached=${index <= reached}>
    ${name}<span class="unseen">: ${index <= reached ? "reached" : "not reached"}</span></li>`)}</ol>`;
}

function Attempts({ placement }) {
  const left = placement.attempts_total - placement.attempts.length;
  return html`<div class="scrolls" tabindex="0" role="group" aria-label="Attempts">
    <table class="attempts">
      <caption>${placement.attempts_total === 1 ? "1 attempt" : `${placement.attempts_total} attempts`}${left > 0 && `; ${left} in between are not kept`}</caption>
      <thead><tr>
        <th scope="col" class="number">No.</th><th scope="col">Agent</th><th scope="col">Requested (UTC)</th>
        <th scope="col" class="number">Accepted</th><th scope="col" class="number">Joined</th><th scope="col" class="number">Ended</th>
        <th scope="col">Cause</th><th scope="col">Dispatch, job</th>
      </tr></thead>
      <tbody>${placement.attempts.map((attempt) => html`<${Attempt} key=${attempt.number} attempt=${attempt} />`)}</tbody>
    </table></div>`;
}

function Attempt({ attempt }) {
  const told = attemptSteps(attempt);
  const step = (name) => html`<td class="number">${told[name] ?? html`<${Nothing} />`}</td>`;
  const ids = [attempt.dispatch_id, attempt.job_id].filter(Boolean);
  return html`<tr>
    <th scope="row" class="number">${attempt.number}</th>
    <td>${named(attempt.agent_name)}${attempt.adopted && html` <small>adopted</small>`}</td>
    <td><time datetime=${attempt.requested_at}>${exact(attempt.requested_at)}</time></td>
    ${step("accepted")}${step("joined")}${step("ended")}
    <td>${attempt.cause ? html`<code>${attempt.cause}</code>` : html`<${Nothing} />`}</td>
    <td>${ids.length ? html`<code>${ids.join(" ")}</code>` : html`<${Nothing} />`}</td>
  </tr>`;
}
