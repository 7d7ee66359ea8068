// Where one is, as it stands in the address behind the `#`: #/sessions?state=unverified, #/sessions/RM_…, #/agents.

/** @typedef {{view: string, id: string | undefined, query: Record<string, string>}} Place */

export const VIEWS = ["sessions", "agents", "incidents", "inbox", "audit"];

// Half a percent sign is no reason for an empty page.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @returns {Place} an address that leads nowhere leads to the sessions */
export function read(fragment) {
  const [path, search = ""] = fragment.replace(/^#/, "").split(/\?(.*)/s);
  const [, view, id] = path.split("/");
  if (!VIEWS.includes(view)) return { view: VIEWS[0], id: undefined, query: {} };
  return { view, id: id ? decoded(id) : undefined, query: Object.fromEntries(new URLSearchParams(search)) };
}

/** What is empty is left out, so that one place has one address. */
export function write(view, id, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value);
  const search = given.length ? `?${new URLSearchParams(given)}` : "";
  return `#/${view}${id === undefined ? "" : `/${encodeURIComponent(id)}`}${search}`;
}
