// The service's API, asked in the name of whoever is logged in: the cookie goes by itself, the CSRF token does not.

import { refusal } from "./words.js";

const PATIENCE = 15_000;

export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export class Service {
  #csrf = null;
  #loggedOut;

  /** @param {() => void} loggedOut called when the service knows the login no more */
  constructor(loggedOut) {
    this.#loggedOut = loggedOut;
  }

  /** Who is logged in; undefined: nobody. */
  async login() {
    try {
      return this.#entered(await this.#ask("GET", "login"));
    } catch (error) {
      if (error.status === 401) return undefined;
      throw error;
    }
  }

  async enter(token) {
    return this.#entered(await this.#ask("POST", "login", { token }));
  }

  async leave() {
    await this.send("DELETE", "login");
  }

  async get(path) {
    return this.#guarded("GET", path);
  }

  /** `key`: the same request twice is done once. */
  async send(method, path, body, key) {
    return this.#guarded(method, path, body, key);
  }

  #entered(login) {
    this.#csrf = login.csrf;
    return login;
  }

  async #guarded(method, path, body, key) {
    try {
      return await this.#ask(method, path, body, key);
    } catch (error) {
      if (error.status === 401) this.#loggedOut();
      throw error;
    }
  }

  async #ask(method, path, body, key) {
    const headers = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (this.#csrf && method !== "GET") headers["X-Rollcall-CSRF"] = this.#csrf;
    if (key) headers["Idempotency-Key"] = key;
    const response = await answered(path, { method, headers, body: body && JSON.stringify(body) });
    const told = response.status === 204 ? {} : await response.json().catch(() => ({}));
    if (response.ok) return told;
    throw new Refused(refusal(response.status, told, response.headers.get("Retry-After")), response.status);
  }
}

async function answered(path, options) {
  try {
    return await fetch(path, { ...options, credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    const late = error.name === "TimeoutError";
    throw new Refused(late ? "Rollcall does not answer." : "Rollcall cannot be reached.", 0);
  }
}

/** A key for a request that may be sent twice. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
