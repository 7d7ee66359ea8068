// Rollcall's own HTTP service, as the page uses it.

import { refusal } from "./words.js";

export class Refused extends Error {
  // `scope`: the token is good, and of another scope than was needed.
  constructor(status, words, scope) {
    super(words);
    Object.assign(this, { status, scope });
  }
}

export class Rollcall {
  // `token(scope)` gives the bearer token for a scope, or nothing. Addresses are beside the page's own: a proxy may serve
  // all of it under a path.
  constructor(token) {
    this.token = token;
  }

  async agents() {
    const body = await this.#call("agents", "read");
    return Array.isArray(body) ? body : (body.agents ?? []);
  }

  // The session, or null while Rollcall knows of none.
  async session(roomOrSid) {
    try {
      return await this.#call(`sessions/${encodeURIComponent(roomOrSid)}`, "read");
    } catch (error) {
      if (error.status === 404) return null;
      throw error;
    }
  }

  // LiveKit's standard token endpoint.
  async enter(request) {
    const answer = await this.#call("token", "mint", request);
    if (!answer.server_url || !answer.participant_token) throw new Error("Rollcall's answer holds no token.");
    return { url: answer.server_url, token: answer.participant_token, room: roomOf(answer.participant_token) };
  }

  async #call(path, scope, body) {
    const headers = {};
    const token = this.token(scope);
    if (token) headers.Authorization = `Bearer ${token}`;
    const options = { headers, cache: "no-store", credentials: "same-origin" };
    if (body) {
      headers["Content-Type"] = "application/json";
      Object.assign(options, { method: "POST", body: JSON.stringify(body) });
    }
    let response;
    try {
      response = await fetch(new URL(path, document.baseURI), options);
    } catch {
      throw new Error("Rollcall does not answer.");
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const scopeLacks = response.headers.get("WWW-Authenticate")?.includes("insufficient_scope");
    throw new Refused(response.status, refusal(response.status, answer, response.headers.get("Retry-After")), scopeLacks);
  }
}

// The room that a token opens: the room is Rollcall's choice where nobody named one.
export function roomOf(token) {
  const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)).video.room;
}
