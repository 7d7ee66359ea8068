// What the stream of events has told so far. One snapshot, then changes; after a reconnect a snapshot again.

import { prepared } from "./rows.js";

export class Feed {
  /** @type {Map<string, ReturnType<typeof prepared>>} by sid; the map is another one after each change of a row */
  rows = new Map();
  summary = undefined;
  /** When it was so, by the service's clock. */
  at = undefined;
  truncated = false;

  snapshot({ at, summary, sessions, truncated }) {
    const before = this.rows;
    this.rows = new Map(sessions.map((row) => [row.sid, same(before.get(row.sid), row) ?? prepared(row)]));
    this.truncated = truncated;
    this.#told(at, summary);
  }

  changed({ at, summary, sessions, gone }) {
    if (sessions.length || gone.length) {
      this.rows = new Map(this.rows);
      for (const row of sessions) this.rows.set(row.sid, prepared(row));
      for (const sid of gone) this.rows.delete(sid);
    }
    this.#told(at, summary);
  }

  #told(at, summary) {
    this.at = at;
    this.summary = summary;
  }
}

// The row that is held already, where it says the same: after a reconnect that is most of them.
function same(held, row) {
  return held && held.updated_at === row.updated_at && held.state === row.state ? held : undefined;
}
