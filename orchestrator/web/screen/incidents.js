// What is open now: grouped where many have one cause, then each; and the silences.

import { write } from "./address.js";
import { endSilence, matching, resolve, silence } from "./deeds.js";
import { Ago, At, Does, Nothing, State } from "./parts.js";
import { More, Polled, usePages, usePolled } from "./polled.js";
import { named } from "./rows.js";
import { worded } from "./timeline.js";
import { html, Screen, useContext } from "./view.js";

export function Incidents() {
  const open = useContext(Screen).feed?.summary.incidents_open;
  const incidents = usePages("incidents", (answer) => answer.incidents.map((one) => ({ ...one, id: one.incident, at: one.since })), open);
  const silences = usePolled("silences", open);
  return html`<h1>Incidents</h1>
    <${Polled} told=${incidents.told} what="the incidents">${(answer) => html`<${Groups} groups=${answer.groups} /><${Open} incidents=${incidents.items} />`}<//>
    <${More} more=${incidents.more} />
    <${Polled} told=${silences} what="the silences">${(answer) => html`<${Silences} silences=${answer.silences} />`}<//>`;
}

function Groups({ groups }) {
  const many = groups.filter((group) => group.rooms > 1);
  if (!many.length) return null;
  return html`<section aria-labelledby="groups"><h2 id="groups">Many with one cause</h2><ul class="groups">
    ${many.map((group) => html`<li key=${`${group.type} ${group.agent_name} ${group.cause}`}>
      <p><strong>${named(group.agent_name)}: ${group.rooms} rooms</strong> ${group.cause && html`<code>${group.cause}</code>`} <small><${Ago} at=${group.since} /></small></p>
      <p>${group.summary}</p>
      <div class="buttons">
        <a class="button" href=${write("sessions", undefined, { agent: named(group.agent_name), cause: group.cause })}>Its sessions</a>
        <${Does} deed=${() => silence({ agent: group.agent_name, cause: group.cause, type: group.type })}>Silence…<//>
      </div></li>`)}
  </ul></section>`;
}

function Open({ incidents }) {
  if (!incidents.length) return html`<p class="none">No incident is open.</p>`;
  return html`<section aria-labelledby="open"><h2 id="open">Open</h2><div class="scrolls" tabindex="0" role="group" aria-label="Open incidents"><table>
    <caption class="unseen">Incidents that are open</caption>
    <thead><tr><th scope="col">Severity</th><th scope="col">What</th><th scope="col">Agent</th><th scope="col">Cause</th><th scope="col">Since</th><th scope="col">Do</th></tr></thead>
    <tbody>${incidents.map((incident) => html`<tr key=${incident.incident}>
      <td><${State} word=${incident.severity} /></td>
      <th scope="row"><${What} incident=${incident} /><small class="below">${incident.summary}</small></th>
      <td>${incident.agent_name === null ? html`<${Nothing} />` : named(incident.agent_name)}</td>
      <td>${incident.cause ? html`<code>${incident.cause}</code>` : html`<${Nothing} />`}</td>
      <td><${Ago} at=${incident.since} /></td>
      <td>${incident.silenced_by ? html`<small>silenced</small>` : html`<${Buttons} incident=${incident} />`}</td>
    </tr>`)}</tbody></table></div></section>`;
}

function What({ incident: { sid, room, type } }) {
  if (!sid) return worded(type);
  return html`<a href=${write("sessions", sid)}>${room || sid}</a> <small>${worded(type)}</small>`;
}

function Buttons({ incident }) {
  const { sid, room, agent_name: agent, type } = incident;
  const match = sid ? { room, agent } : { type };
  return html`<div class="buttons">
    ${sid && html`<${Does} deed=${() => resolve({ room, sid })}>Resolve<span class="unseen"> ${room}</span>…<//>`}
    <${Does} deed=${() => silence(match)}>Silence<span class="unseen"> ${room ?? type}</span>…<//>
  </div>`;
}

function Silences({ silences }) {
  return html`<section aria-labelledby="silences">
    <div class="title"><h2 id="silences">Silences</h2><${Does} deed=${() => silence()}>New silence…<//></div>
    ${silences.length ? html`<div class="scrolls" tabindex="0" role="group" aria-label="Silences"><table>
      <caption class="unseen">Silences, those that have ended included</caption>
      <thead><tr><th scope="col">State</th><th scope="col">Matches</th><th scope="col">Until (UTC)</th><th scope="col">Reason</th><th scope="col">By</th><th scope="col">Do</th></tr></thead>
      <tbody>${silences.map((made) => html`<tr key=${made.id}>
        <td><${State} word=${made.state} /></td>
        <th scope="row">${matching(made.match)}</th>
        <td><${At} at=${made.ends_at} /></td>
        <td>${made.reason || html`<${Nothing} />`}</td>
        <td>${made.by}</td>
        <td>${made.state === "active" ? html`<${Does} deed=${() => endSilence(made)}>End<span class="unseen"> the silence of ${matching(made.match)}</span>…<//>` : html`<${Nothing} />`}</td>
      </tr>`)}</tbody></table></div>` : html`<p class="none">Nothing is silenced.</p>`}
  </section>`;
}
