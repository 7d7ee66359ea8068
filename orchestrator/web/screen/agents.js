// Who answers to which agent name; its workers; and the pause of its dispatching.

import { write } from "./address.js";
import { pause, resume } from "./deeds.js";
import { Ago, At, Does, Fact, Nothing, State } from "./parts.js";
import { Polled, usePolled } from "./polled.js";
import { named } from "./rows.js";
import { html, Screen, useContext } from "./view.js";

export function Agents() {
  const { place } = useContext(Screen);
  return place.id === undefined ? html`<${All} />` : html`<${One} key=${place.id} name=${place.id} />`;
}

/** A pause that began or ended tells that there is something new. */
const usePauses = () => useContext(Screen).feed?.summary.paused.join("\n");

function All() {
  const told = usePolled("agents", usePauses());
  return html`<h1>Agents</h1><${Polled} told=${told} what="the agents">${({ agents }) =>
    agents.length ? html`<${Table} agents=${agents} />` : html`<p class="none">No agent is configured, and none has announced itself.</p>`}<//>`;
}

function Table({ agents }) {
  return html`<div class="scrolls" tabindex="0" role="group" aria-label="Agents"><table>
    <caption class="unseen">Agent names, who answers to them, and how far their sessions are</caption>
    <thead><tr>
      <th scope="col">Agent</th><th scope="col">Workers</th><th scope="col" class="number">Live</th><th scope="col" class="number">Jobs</th>
      <th scope="col" class="number">Room left</th><th scope="col" class="number">Verified</th><th scope="col" class="number">On the way</th>
      <th scope="col" class="number">Missing</th><th scope="col">Dispatching</th>
    </tr></thead>
    <tbody>${agents.map((agent) => html`<tr key=${agent.agent_name}>
      <th scope="row"><a href=${write("agents", named(agent.agent_name))}>${named(agent.agent_name)}</a></th>
      <td><${State} word=${agent.state} /></td>
      <td class="number">${agent.workers}</td>
      <td class="number">${agent.active_jobs}</td>
      <td class="number">${agent.room_left ?? html`<${Nothing} />`}</td>
      <td class="number">${agent.sessions.verified}</td>
      <td class="number">${agent.sessions.dispatching}</td>
      <td class="number" data-bad=${agent.sessions.unverified > 0}>${agent.sessions.unverified}</td>
      <td><${Pausing} agent=${agent} /></td>
    </tr>`)}</tbody>
  </table></div>`;
}

function Pausing({ agent: { agent_name: name, paused } }) {
  if (!paused) return html`<${Does} deed=${() => pause(name)}>Pause<span class="unseen"> ${named(name)}</span>…<//>`;
  return html`<${State} word="paused" /> <${Does} deed=${() => resume(name)}>Resume<span class="unseen"> ${named(name)}</span>…<//>`;
}

function One({ name }) {
  const told = usePolled(`agents/${encodeURIComponent(name)}`, usePauses());
  return html`<p class="back"><a href="#/agents">← Agents</a></p>
    <${Polled} told=${told} what="the agent">${(agent) => html`<${Page} agent=${agent} />`}<//>`;
}

function Page({ agent }) {
  const { paused } = agent;
  return html`<article>
    <div class="title"><h1>${named(agent.agent_name)}</h1><${State} word=${agent.state} /></div>
    <p class="why">${agent.verdict}</p>
    ${paused && html`<p class="note">Paused since <${At} at=${paused.since} />${paused.until ? html` until <${At} at=${paused.until} />` : ", until somebody ends it"}, by ${paused.by}${paused.reason && `: ${paused.reason}`}.</p>`}
    <div class="buttons"><${Pausing} agent=${agent} />
      <a class="button" href=${write("sessions", undefined, { agent: named(agent.agent_name) })}>Its sessions</a></div>
    <dl class="facts">
      <${Fact} term="Verified">${agent.sessions.verified}<//>
      <${Fact} term="On the way">${agent.sessions.dispatching}<//>
      <${Fact} term="Missing">${agent.sessions.unverified}<//>
      <${Fact} term="Last joined"><${Ago} at=${agent.last_joined} /><//>
      <${Fact} term="Configured">${agent.configured ? "yes" : "no"}<//>
    </dl>
    <${Workers} workers=${agent.workers_detail} />
  </article>`;
}

function Workers({ workers }) {
  if (!workers.length) return html`<section><h2>Workers</h2><p class="none">No worker announces itself under this name now.</p></section>`;
  return html`<section aria-labelledby="workers"><h2 id="workers">Workers</h2><div class="scrolls" tabindex="0" role="group" aria-label="Workers"><table>
    <caption class="unseen">Workers that announced themselves within 15 s</caption>
    <thead><tr><th scope="col">Worker</th><th scope="col">Load</th><th scope="col" class="number">Jobs</th><th scope="col" class="number">Capacity</th>
      <th scope="col">Version</th><th scope="col">Region</th><th scope="col">Since (UTC)</th><th scope="col">Heard</th></tr></thead>
    <tbody>${workers.map((worker) => html`<tr key=${worker.worker_id}>
      <th scope="row"><code>${worker.worker_id}</code>${worker.draining && html` <${State} word="draining" />`}</th>
      <td><meter min="0" max="1" high="0.8" value=${worker.load} aria-label="Load"></meter> ${Math.round(worker.load * 100)} %</td>
      <td class="number">${worker.active_jobs}</td>
      <td class="number">${worker.capacity ?? html`<${Nothing} />`}</td>
      <td>${worker.version || html`<${Nothing} />`}</td>
      <td>${worker.region || html`<${Nothing} />`}</td>
      <td><${At} at=${worker.since} /></td>
      <td><${Ago} at=${worker.last_seen} /></td>
    </tr>`)}</tbody></table></div></section>`;
}
