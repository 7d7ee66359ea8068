// The stream of events, held open while somebody looks: closed in a hidden tab and by the pause button, and opened again
// whenever it breaks.

/** @typedef {"connecting" | "live" | "away" | "paused" | "hidden"} Standing */

/** Milliseconds without a word after which the stream counts as broken: the service says something every 5 s. */
const SILENCE = 15_000;

/** Milliseconds until it is opened again where the browser has given up, which it does after an answer like 502. */
const AGAIN = [1_000, 2_000, 5_000];

/** Milliseconds for which nobody is told that it broke: a replica that stops sends its clients to another one. */
const GRACE = 2_500;

export class Live {
  /** @type {Standing} */
  standing = "connecting";
  #told;
  #source;
  #timer;
  #lost;
  #failed = 0;
  #paused = false;

  /** @param {{event: (kind: string, data: any) => void, standing: (standing: Standing) => void, refused: () => void}} told */
  constructor(told) {
    this.#told = told;
    document.addEventListener("visibilitychange", this.#look);
    this.#look();
  }

  get paused() {
    return this.#paused;
  }

  pause(paused) {
    this.#paused = paused;
    this.#look();
  }

  close() {
    document.removeEventListener("visibilitychange", this.#look);
    clearTimeout(this.#lost);
    this.#shut();
  }

  #look = () => {
    if (this.#paused) this.#rest("paused");
    else if (document.hidden) this.#rest("hidden");
    else if (!this.#source) this.#open();
  };

  #rest(why) {
    this.#shut();
    this.#stand(why);
  }

  #open() {
    this.#shut();
    if (this.standing === "paused" || this.standing === "hidden") this.#stand("connecting");
    const source = (this.#source = new EventSource("events"));
    for (const kind of ["snapshot", "changed"]) {
      source.addEventListener(kind, ({ data }) => {
        this.#failed = 0;
        this.#told.event(kind, JSON.parse(data));
        this.#stand("live");
        this.#expect(SILENCE);
      });
    }
    source.addEventListener("error", () => {
      this.#miss();
      if (source.readyState === EventSource.CLOSED) this.#broken();
      else this.#expect(SILENCE);
    });
    this.#expect(SILENCE);
  }

  // The browser does not say why. It may be that the login is not known any more.
  #broken() {
    this.#told.refused();
    const wait = AGAIN[Math.min(this.#failed++, AGAIN.length - 1)];
    this.#expect(wait * (0.5 + Math.random()));
  }

  #expect(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#miss();
      this.#open();
    }, milliseconds);
  }

  #miss() {
    this.#lost ??= setTimeout(() => this.#stand("away"), GRACE);
  }

  #shut() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }

  #stand(standing) {
    clearTimeout(this.#lost);
    this.#lost = undefined;
    if (this.standing === standing) return;
    this.standing = standing;
    this.#told.standing(standing);
  }
}
