// The webhooks that came: what was found about their signatures, what became of them, and one with its body, to replay.

import { write } from "./address.js";
import { replay } from "./deeds.js";
import { At, Does, Fact, Loading, Nothing, State } from "./parts.js";
import { More, Polled, usePages, usePolled } from "./polled.js";
import { moment } from "./times.js";
import { worded } from "./timeline.js";
import { html, Screen, useContext } from "./view.js";

const OUTCOMES = ["stored", "duplicate", "ignored", "forged", "malformed", "too_large", "unsupported", "stalled", "unavailable"];

export function Inbox() {
  const { place } = useContext(Screen);
  return place.id === undefined ? html`<${All} />` : html`<${One} key=${place.id} id=${place.id} />`;
}

function All() {
  const { place, refine } = useContext(Screen);
  const { outcome, room } = place.query;
  const asked = new URLSearchParams(Object.entries({ outcome, room: room?.trim() }).filter(([, value]) => value));
  const { told, items, more } = usePages(`inbox${asked.size ? `?${asked}` : ""}`, ({ webhooks }) => webhooks);
  const set = (name) => ({ target }) => refine({ ...place.query, [name]: target.value });
  return html`<h1>Webhook inbox</h1>
    <form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
      <p class="field grows"><label for="room">Room</label><input id="room" type="search" value=${room ?? ""} onChange=${set("room")} autocomplete="off" autocapitalize="none" spellcheck="false" /></p>
      <p class="field"><label for="outcome">Outcome</label><select id="outcome" value=${outcome ?? ""} onChange=${set("outcome")}>
        <option value="">any outcome</option>${OUTCOMES.map((word) => html`<option key=${word} value=${word}>${worded(word)}</option>`)}</select></p>
    </form>
    ${told.answer ? html`<${Polled} told=${told}>${() => html`<${Table} webhooks=${items} />`}<//>` : html`<${Loading} what="the webhooks" error=${told.error?.message} />`}
    <${More} more=${more} />`;
}

function Table({ webhooks }) {
  if (!webhooks.length) return html`<p class="none">No webhook here is like that.</p>`;
  return html`<div class="scrolls" tabindex="0" role="group" aria-label="Webhooks"><table>
    <caption class="unseen">Webhooks, the newest first; times are UTC</caption>
    <thead><tr><th scope="col">Received (UTC)</th><th scope="col">Outcome</th><th scope="col">Event</th><th scope="col">Room</th><th scope="col">Signed with</th><th scope="col" class="number">Bytes</th></tr></thead>
    <tbody>${webhooks.map((hook) => html`<tr key=${hook.id}>
      <th scope="row"><a href=${write("inbox", hook.id)}><time datetime=${hook.at}>${moment(hook.at)}</time></a></th>
      <td><${State} word=${hook.outcome} />${hook.reason && html`<small class="below">${hook.reason}</small>`}</td>
      <td>${hook.event ? worded(hook.event) : html`<${Nothing} />`}</td>
      <td>${hook.room ?? html`<${Nothing} />`}</td>
      <td>${hook.key ? html`<code>${hook.key}</code>` : html`<${Nothing} />`}</td>
      <td class="number">${hook.bytes ?? html`<${Nothing} />`}</td>
    </tr>`)}</tbody></table></div>`;
}

function One({ id }) {
  const { back } = useContext(Screen);
  const told = usePolled(`inbox/${encodeURIComponent(id)}`);
  return html`<p class="back"><a href=${back("inbox")}>← Inbox</a></p>
    <${Polled} told=${told} what="the webhook">${(hook) => html`<${Page} hook=${hook} />`}<//>`;
}

function Page({ hook }) {
  return html`<article>
    <div class="title"><h1>${hook.event ? worded(hook.event) : "A webhook"}</h1><${State} word=${hook.outcome} /></div>
    <div class="buttons"><${Does} deed=${() => replay(hook)} why=${hook.body ? undefined : "no body is kept of it"}>Replay…<//>
      ${hook.sid && html`<a class="button" href=${write("sessions", hook.sid)}>Its session</a>`}</div>
    <dl class="facts">
      <${Fact} term="Received (UTC)"><${At} at=${hook.at} /><//>
      <${Fact} term="Signature">${signature(hook)}<//>
      ${hook.reason && html`<${Fact} term="Why">${hook.reason}<//>`}
      <${Fact} term="Room">${hook.room ?? html`<${Nothing} />`}<//>
      <${Fact} term="Event id">${hook.event_id ? html`<code>${hook.event_id}</code>` : html`<${Nothing} />`}<//>
    </dl>
    <section aria-labelledby="body"><h2 id="body">Body</h2>
      <p class="note">As it is kept: values of metadata and of attributes are replaced by “…”.</p>
      ${hook.body ? html`<pre tabindex="0">${JSON.stringify(hook.body, null, 2)}</pre>` : html`<p class="none">No body is kept of it.</p>`}</section>
  </article>`;
}

/** The door looks at a signature once the body is there; of what it has refused before it knows nothing. */
function signature({ outcome, key }) {
  if (outcome === "forged") return "refused";
  return key ? html`right, with the key <code>${key}</code>` : "not looked at";
}
