// How loud it is: the root mean square of what was heard in the last 43 ms, in decibels of full scale.

const PERIOD = 50;
const FLOOR = -60;

export class Meter {
  #context;
  #analyser;
  #samples;
  #sources = new Map();
  #timer;

  // `data-rms` and `data-loudest` of the meter are linear, 0 to 1: 0.212 is a sine of amplitude 0.3.
  constructor(meter, words) {
    this.meter = meter;
    this.words = words;
    Object.assign(meter, { min: FLOOR, max: 0, value: FLOOR });
  }

  start(context) {
    this.#context = context;
    this.#analyser = context.createAnalyser();
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.meter.dataset.loudest = "0";
    this.#timer = setInterval(() => this.#read(), PERIOD);
  }

  add(track) {
    if (!this.#context || this.#sources.has(track.id)) return;
    const source = this.#context.createMediaStreamSource(new MediaStream([track]));
    source.connect(this.#analyser);
    this.#sources.set(track.id, source);
  }

  remove(track) {
    this.#sources.get(track.id)?.disconnect();
    this.#sources.delete(track.id);
  }

  stop() {
    clearInterval(this.#timer);
    for (const source of this.#sources.values()) source.disconnect();
    this.#sources.clear();
    this.#context = undefined;
    this.#show(0);
  }

  #read() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    this.#show(Math.sqrt(power));
  }

  #show(rms) {
    const { dataset } = this.meter;
    dataset.rms = rms.toFixed(4);
    dataset.loudest = Math.max(Number(dataset.loudest), rms).toFixed(4);
    const decibels = rms > 0 ? Math.max(FLOOR, 20 * Math.log10(rms)) : FLOOR;
    this.meter.value = decibels;
    this.words.textContent = decibels > FLOOR ? `${Math.round(decibels)} dB` : "silent";
  }
}
