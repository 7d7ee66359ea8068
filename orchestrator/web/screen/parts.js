// Small things that many views show.

import { moment, span } from "./times.js";
import { worded } from "./timeline.js";
import { html, Screen, useContext, useState } from "./view.js";

// Shapes differ, so that nobody needs to tell colours apart.
const SHAPES = {
  good: "M3.5 8.5l3 3 6-7",
  bad: "M4 4l8 8M12 4l-8 8",
  busy: "M8 4v4l3 2",
  idle: "M4 8h8",
  gone: "M5 5h6v6H5z",
};

export const TONES = {
  unverified: "bad",
  lost: "bad",
  refused: "bad",
  forged: "bad",
  malformed: "bad",
  too_large: "bad",
  unsupported: "bad",
  stalled: "bad",
  unavailable: "bad",
  critical: "bad",
  offline: "bad",
  dispatching: "busy",
  waiting: "busy",
  warning: "busy",
  paused: "busy",
  full: "busy",
  draining: "busy",
  active: "busy",
  verified: "good",
  serving: "good",
  stored: "good",
  ended: "gone",
  cancelled: "gone",
};

export const tone = (word) => TONES[word] ?? "idle";

export function Icon({ tone: shape }) {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="7.25" /><path d=${SHAPES[shape]} /></svg>`;
}

/** A word with its icon. */
export function State({ word, note }) {
  return html`<span class="state" data-tone=${tone(word)}><${Icon} tone=${tone(word)} />${worded(word)}${note && html` <small>${note}</small>`}</span>`;
}

/** A moment, told as how long ago it was. */
export function Ago({ at }) {
  const { now } = useContext(Screen);
  return at ? html`<time datetime=${at} title=${`${moment(at)} UTC`}>${span(at, now)} ago</time>` : html`<${Nothing} />`;
}

export function At({ at }) {
  return at ? html`<time datetime=${at}>${moment(at)}</time>` : html`<${Nothing} />`;
}

/** An empty cell, of which a screen reader says that it is one. */
export const Nothing = () => html`<span class="nothing"><span aria-hidden="true">–</span><span class="unseen">none</span></span>`;

/** What can be copied: the text, and a button beside it. */
export function Copied({ label, text }) {
  const { say } = useContext(Screen);
  const [done, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
      say("Copied.");
    } catch {
      say("The browser does not let this page copy: select the text instead.");
    }
  };
  return html`<div class="copied">
    <span class="label">${label}</span>
    <code tabindex="0" role="group" aria-label=${label}>${text}</code>
    <button type="button" class="quiet" aria-label=${`Copy: ${label}`} onClick=${copy}>${done ? "Copied" : "Copy"}</button>
  </div>`;
}

/** A button that does something, after it was asked about; told why it cannot be pressed by who may only look. */
export function Does({ deed, children, main = false, why }) {
  const { act, operates } = useContext(Screen);
  const reason = operates ? why : "Your login may look, and not change anything.";
  return html`<button
    type="button"
    class=${main ? "main" : ""}
    aria-disabled=${reason ? "true" : undefined}
    title=${reason}
    onClick=${() => !reason && act(deed())}
  >${children}${reason && html`<span class="unseen">: ${reason}</span>`}</button>`;
}

export const Loading = ({ error, what }) =>
  error ? html`<p class="trouble">${error}</p>` : html`<p class="loading">Loading ${what}…</p>`;

/** A term and what is known of it, in a list of such. */
export const Fact = ({ term, children }) => html`<div><dt>${term}</dt><dd>${children}</dd></div>`;
