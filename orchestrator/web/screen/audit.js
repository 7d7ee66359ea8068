// Who did what, the newest first.

import { write } from "./address.js";
import { At, Loading, Nothing } from "./parts.js";
import { More, Polled, usePages } from "./polled.js";
import { named } from "./rows.js";
import { worded } from "./timeline.js";
import { html, Screen, useContext } from "./view.js";

export function Audit() {
  const { operates } = useContext(Screen);
  return html`<h1>Audit log</h1>${operates ? html`<${Log} />` : html`<p class="none">Whoever may operate may read the audit log. Your login may look at the rest.</p>`}`;
}

function Log() {
  const { told, items, more } = usePages("audit", ({ entries }) => entries);
  if (!told.answer) return html`<${Loading} what="the audit log" error=${told.error?.message} />`;
  return html`<${Polled} told=${told}>${() => html`<${Table} entries=${items} />`}<//><${More} more=${more} />`;
}

function Table({ entries }) {
  if (!entries.length) return html`<p class="none">Nobody has done anything yet.</p>`;
  return html`<div class="scrolls" tabindex="0" role="group" aria-label="Audit log"><table>
    <caption class="unseen">What was done, the newest first; times are UTC</caption>
    <thead><tr><th scope="col">Time (UTC)</th><th scope="col">What</th><th scope="col">By</th><th scope="col">Session</th><th scope="col">Agent</th><th scope="col">Reason</th><th scope="col" class="number">Taken</th></tr></thead>
    <tbody>${entries.map((entry) => html`<tr key=${entry.id}>
      <td><${At} at=${entry.at} /></td>
      <th scope="row">${worded(entry.action)}${entry.target && html`<small class="below">${entry.target}</small>`}</th>
      <td>${entry.by ?? entry.scope}</td>
      <td>${entry.sid ? html`<a href=${write("sessions", entry.sid)}>${entry.room || entry.sid}</a>` : html`<${Nothing} />`}</td>
      <td>${entry.agent_name === null ? html`<${Nothing} />` : named(entry.agent_name)}</td>
      <td>${entry.reason || html`<${Nothing} />`}</td>
      <td class="number">${entry.taken ?? html`<${Nothing} />`}</td>
    </tr>`)}</tbody></table></div>`;
}
