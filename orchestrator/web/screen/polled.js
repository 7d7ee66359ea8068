// What the feed does not tell is asked for: at once, whenever it may have changed, and every few seconds.

import { html, Screen, useContext, useEffect, useRef, useState } from "./view.js";
import { Loading } from "./parts.js";

const EVERY = 5_000;

/**
 * The answer of `path`, kept fresh while somebody looks, and asked for once where live updates are paused. `changed`: whatever tells that there is something new.
 * After a failure the last answer stays, with what went wrong beside it.
 */
export function usePolled(path, changed) {
  const { service, standing } = useContext(Screen);
  const [told, setTold] = useState({});
  const shown = useRef();
  const still = standing === "paused" || standing === "hidden";
  useEffect(() => {
    // What is shown holds still; what was never shown has to be asked for, or there would be nothing to look at.
    if (still && shown.current === path) return undefined;
    let timer;
    let gone = false;
    const look = async () => {
      let next;
      try {
        next = { path, answer: await service.get(path) };
        shown.current = path;
      } catch (error) {
        next = { error };
      }
      if (gone) return;
      setTold((before) => (next.error && before.path === path ? { ...before, ...next } : next));
      if (!still || next.error) timer = setTimeout(look, EVERY);
    };
    look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [service, path, changed, still]);
  return told.path === path ? told : { error: told.error };
}

/** What was asked for once it is there, and that it is not fresh where it is not. */
export function Polled({ told, what, children }) {
  const { answer, error } = told;
  if (!answer) return html`<${Loading} what=${what} error=${error?.message} />`;
  return html`${error && html`<p class="trouble">${error.message} What you see may be old.</p>`}${children(answer)}`;
}

/** Pages of a list, the newest first, of which older ones are asked for by a button. `take`: the list in an answer. */
export function usePages(path, take, changed) {
  const { service } = useContext(Screen);
  const [older, setOlder] = useState({ path, items: [], cursor: undefined });
  const told = usePolled(path, changed);
  const mine = older.path === path ? older : { path, items: [], cursor: undefined };
  const newest = told.answer ? take(told.answer) : [];
  const known = new Set(newest.map((item) => item.id));
  const cursor = mine.cursor === undefined ? told.answer?.cursor : mine.cursor;
  const more = async () => {
    const page = await service.get(`${path}${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}`);
    // What stood on the newest page goes along: by now it may have been pushed from it.
    setOlder({ path, items: merged(mine.items, newest, take(page)), cursor: page.cursor });
  };
  return { told, items: [...newest, ...mine.items.filter((item) => !known.has(item.id))], more: cursor ? more : undefined };
}

function merged(...lists) {
  const all = new Map(lists.flat().map((item) => [item.id, item]));
  return [...all.values()].sort((a, b) => (a.at < b.at ? 1 : -1));
}

export function More({ more }) {
  const { say } = useContext(Screen);
  const [busy, setBusy] = useState(false);
  if (!more) return null;
  const press = async () => {
    setBusy(true);
    await more().catch(({ message }) => say(message));
    setBusy(false);
  };
  return html`<p class="more"><button type="button" aria-disabled=${busy ? "true" : undefined} onClick=${() => busy || press()}>Older</button></p>`;
}
