// What stands on every view: how many of how many are well, where one can go, and how fresh all of it is.

import { VIEWS } from "./address.js";
import { Icon } from "./parts.js";
import { named } from "./rows.js";
import { clock } from "./times.js";
import { html, Screen, useContext } from "./view.js";
import { counted, standing } from "./words.js";

const NAMES = { sessions: "Sessions", agents: "Agents", incidents: "Incidents", inbox: "Inbox", audit: "Audit" };

export function Head({ leave }) {
  return html`<header>
    <div class="bar">
      <a class="wordmark" href="#/sessions">Rollcall</a>
      <${Navigation} />
      <${Who} leave=${leave} />
    </div>
    <${Summary} />
    <${Away} />
    <${Warnings} />
  </header>`;
}

function Navigation() {
  const { place, back, feed } = useContext(Screen);
  const open = feed?.summary.incidents_open;
  return html`<nav aria-label="Views"><ul>
    ${VIEWS.map((view) => html`<li key=${view}>
      <a href=${place.view === view ? `#/${view}` : back(view)} aria-current=${place.view === view ? "page" : undefined}>
        ${NAMES[view]}${view === "incidents" && open ? html` <span class="count">${open}<span class="unseen"> open</span></span>` : null}
      </a>
    </li>`)}
  </ul></nav>`;
}

function Who({ leave }) {
  const { login, operates } = useContext(Screen);
  const may = operates ? "may operate" : "may look";
  if (login.by !== "cookie") return html`<p class="who">${login.name ?? (login.by === "dev" ? "development" : "")} <small>${may}</small></p>`;
  return html`<p class="who">${login.name} <small>${may}</small> <button type="button" class="quiet" onClick=${leave}>Log out</button></p>`;
}

function Summary() {
  const { feed, standing: how } = useContext(Screen);
  if (!feed) return html`<div class="summary" data-tone="idle"><p>Asking Rollcall…</p><${Fresh} /></div>`;
  const { tone: now, sentence } = standing(feed.summary);
  const tone = how === "away" ? "idle" : now; // how well all is, is not known any more
  const paused = feed.summary.paused;
  return html`<div class="summary" data-tone=${tone}>
    <p><${Icon} tone=${tone} /><strong>${sentence}</strong>
      ${paused.length > 0 && html`<a class="aside" href="#/agents">${counted(paused.length, "agent is", "agents are")} paused: ${paused.map(named).join(", ")}</a>`}
    </p>
    <${Fresh} />
  </div>`;
}

/** Since when what is shown was so, and the pause of it. */
function Fresh() {
  const { feed, standing: how, pause, say } = useContext(Screen);
  const paused = how === "paused";
  const toggle = () => {
    pause(!paused);
    say(paused ? "Live updates go on." : "Live updates are paused.");
  };
  return html`<p class="fresh" data-standing=${how}>
    ${feed && html`<span>Data as of <time datetime=${feed.at}>${clock(feed.at)}</time> UTC</span>`}
    <button type="button" class="quiet" aria-pressed=${String(paused)} onClick=${toggle}>Pause updates</button>
  </p>`;
}

function Away() {
  const { standing: how, feed } = useContext(Screen);
  if (how === "paused") return html`<p class="banner" data-tone="busy">Live updates are paused. What you see does not change until you go on.</p>`;
  if (how !== "away") return null;
  return html`<p class="banner" data-tone="bad">
    Rollcall cannot be reached; this page goes on by itself as soon as it can.${feed ? ` You see what was so at ${clock(feed.at)} UTC.` : ""}
  </p>`;
}

function Warnings() {
  const { feed } = useContext(Screen);
  const warnings = feed?.summary.warnings ?? [];
  return html`${warnings.map((warning) => html`<p class="banner" data-tone="busy" key=${warning}>${warning}</p>`)}`;
}
