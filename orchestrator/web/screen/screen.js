// The screen: who is logged in, where one is, what the feed tells; and the view that shows it.

import * as address from "./address.js";
import { Confirm } from "./confirm.js";
import { Feed } from "./feed.js";
import { Live } from "./live.js";
import { Login } from "./login.js";
import { Service } from "./service.js";
import { Head } from "./head.js";
import { Agents } from "./agents.js";
import { Audit } from "./audit.js";
import { Inbox } from "./inbox.js";
import { Incidents } from "./incidents.js";
import { say } from "./said.js";
import { Session } from "./session.js";
import { Sessions } from "./sessions.js";
import { html, render, Screen, useEffect, useMemo, useRef, useState } from "./view.js";
import { standing } from "./words.js";

const SECOND = 1_000;

const VIEWS = { sessions: Sessions, agents: Agents, incidents: Incidents, inbox: Inbox, audit: Audit };

function usePlace() {
  const [place, setPlace] = useState(() => address.read(location.hash));
  useEffect(() => {
    const moved = () => setPlace(address.read(location.hash));
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  // A filter that is typed is no step to go back to.
  const refine = (query) => {
    history.replaceState(null, "", address.write(place.view, place.id, query));
    setPlace({ ...place, query });
  };
  return [place, refine];
}

/** What the feed tells, and the service's time: it goes on by our own clock between two events. */
function useFeed(service) {
  const [told, setTold] = useState({ feed: undefined, standing: "connecting" });
  const [now, setNow] = useState(() => new Date().toISOString());
  const live = useRef();
  useEffect(() => {
    const feed = new Feed();
    let ahead = 0;
    const tick = () => live.current.paused || setNow(new Date(Date.now() + ahead).toISOString());
    live.current = new Live({
      event(kind, data) {
        feed[kind](data);
        ahead = Date.parse(feed.at) - Date.now();
        setTold({ feed: { ...feed }, standing: "live" });
        tick();
      },
      standing: (how) => setTold((before) => ({ ...before, standing: how })),
      refused: () => service.get("login").catch(() => {}), // forgets the login if that is why
    });
    const timer = setInterval(tick, SECOND);
    return () => {
      clearInterval(timer);
      live.current.close();
    };
  }, [service]);
  return { ...told, now, pause: (paused) => live.current.pause(paused) };
}

function Shown({ service, login, leave }) {
  const [place, refine] = usePlace();
  const told = useFeed(service);
  const [deed, setDeed] = useState();
  const main = useRef();
  const View = VIEWS[place.view];
  const lastList = useRef({});

  if (place.id === undefined) lastList.current[place.view] = place.query;
  useEffect(() => {
    scrollTo(0, 0);
    if (main.current.dataset.place) main.current.focus();
    main.current.dataset.place = `${place.view} ${place.id ?? ""}`;
  }, [place.view, place.id]);
  const summary = told.feed?.summary;
  useEffect(() => {
    const missing = summary?.by_state.unverified;
    document.title = `${missing ? `(${missing}) ` : ""}${title(place)} · Rollcall`;
  }, [summary?.by_state.unverified, place.view, place.id]);
  const sentence = summary && standing(summary).sentence;
  const heard = useRef();
  useEffect(() => {
    if (heard.current && sentence) say(sentence);
    heard.current = sentence;
  }, [summary?.by_state.unverified]);

  const operates = login.scopes.includes("operate");
  const screen = {
    ...told, service, login, place, refine, say, operates, act: setDeed,
    back: (view) => address.write(view, undefined, lastList.current[view]),
  };
  const done = (said) => {
    setDeed(undefined);
    if (said) say(said);
  };
  return html`<${Screen.Provider} value=${screen}>
    <${Head} leave=${leave} />
    <main ref=${main} tabindex="-1">
      ${place.id !== undefined && place.view === "sessions" ? html`<${Session} key=${place.id} id=${place.id} />` : html`<${View} />`}
    </main>
    ${deed && html`<${Confirm} deed=${deed} service=${service} done=${done} />`}
  <//>`;
}

const title = ({ view, id }) => (id && view !== "inbox" ? id : view[0].toUpperCase() + view.slice(1));

function App() {
  const [login, setLogin] = useState("unknown");
  const service = useMemo(() => new Service(() => setLogin(undefined)), []);
  const look = async () => {
    try {
      setLogin(await service.login());
    } catch (error) {
      setLogin({ trouble: error.message });
      setTimeout(look, 2 * SECOND);
    }
  };
  useEffect(() => void look(), []);
  const leave = async () => {
    await service.leave().catch(({ message }) => say(message));
    setLogin(undefined);
  };
  if (login === "unknown") return null;
  if (login?.trouble) return html`<main class="alone"><p class="trouble">${login.trouble} It is asked again every 2 s.</p></main>`;
  if (!login) return html`<${Login} service=${service} entered=${setLogin} />`;
  return html`<${Shown} service=${service} login=${login} leave=${leave} />`;
}

render(html`<${App} />`, document.getElementById("screen"));
