/**
 * What one talker has said, on its way to the ear: evens out when it comes. Pure; samples at 48 kHz.
 *
 * Speech is held back until a little of it is there (`target`), so that what comes late is still in
 * time. When it runs dry all the same, the last sound goes on and fades; if more of the same talk
 * comes then, it is held back longer, and with calm it is held back less again. When more has piled
 * up than is needed, some milliseconds are left out now and then: the delay does not grow.
 */

const RATE = 48_000;
const ms = (milliseconds: number): number => (milliseconds * RATE) / 1_000;

const LEAST = ms(40);
const FIRST = ms(60);
const MOST = ms(400);
/** So many packets are held back at least: with one alone, each that is late would be missed. */
const PACKETS = 2;
/** By so much more at most is held back after it ran dry. */
const WIDER = ms(30);
/** By so much less after each second of calm. */
const CALMER = ms(4);
/** What is missing is made up for so long at most. */
const CONCEALED = ms(60);
/** Of the last sound this much is repeated. */
const PERIOD = ms(10);
/** So much is left out at once when the delay has grown, over a crossfade of so much. */
const LEFT_OUT = ms(10);
const FADE = ms(2.5);
/** More than the target and this for a second, and some is left out. */
const SLACK = ms(40);
/** More than this is never held: what is older is left out at once. */
const HELD = ms(1_000);

export class Playout {
  /** Samples that are held back before it begins. */
  target = FIRST;
  /** How often it ran dry while somebody talked. */
  dry = 0;
  #chunks: Float32Array[] = [];
  /** Samples of the first chunk that are played. */
  #played = 0;
  #depth = 0;
  #playing = false;
  #ending = false;
  /** It ran dry, which was an end unless more of this talk comes. */
  #ran = false;
  #tail = new Float32Array(PERIOD);
  #concealed = 0;
  #least = Infinity;
  #since = 0;

  /** Samples that are held. */
  get depth(): number {
    return this.#depth;
  }

  /** Whether there is nothing left to be heard. */
  get silent(): boolean {
    return !this.#playing && this.#depth === 0;
  }

  /** Speech has come; so many samples before it are missing. `last`: nothing comes after it. */
  push(samples: Float32Array, lost = 0, last = false): void {
    if (this.#ending && this.#depth === 0) this.#begin();
    this.#ending = last;
    if (samples.length === 0) return;
    this.target = Math.max(this.target, PACKETS * samples.length);
    if (lost > 0) this.#missing(lost);
    else if (this.#ran) this.#late();
    this.#put(samples);
    this.#drop();
  }

  /** The talk is over, though no last frame said so: what is there is still heard. */
  end(): void {
    this.#ending = true;
    this.#ran = false;
  }

  #begin(): void {
    this.#playing = false;
    this.#concealed = 0;
    this.#ran = false;
  }

  /**
   * So much is not there, and takes its time all the same: else what comes after it would be played
   * too early. It was not late: to hold back more would not have brought it.
   */
  #missing(lost: number): void {
    const made = this.#ran ? this.#concealed : 0;
    this.#ran = false;
    const left = Math.min(lost, CONCEALED) - made;
    if (left > 0 && (this.#playing || this.#depth > 0)) this.#put(this.#made(left, made));
  }

  /**
   * What it ran dry of has come after all: hold back by so much more as it was late. By that much
   * it is played later already; a talk that begins with more would be late for nothing.
   */
  #late(): void {
    this.#ran = false;
    this.dry += 1;
    this.target = Math.min(this.target + Math.min(this.#concealed, WIDER), MOST);
  }

  /** What is older than what is ever held is not heard. */
  #drop(): void {
    while (this.#depth > HELD) {
      const [oldest] = this.#chunks;
      if (!oldest) return;
      this.#chunks.shift();
      this.#depth -= oldest.length - this.#played;
      this.#played = 0;
    }
  }

  #put(samples: Float32Array): void {
    this.#chunks.push(samples);
    this.#depth += samples.length;
  }

  /** The next samples to be heard. */
  pull(out: Float32Array): void {
    if (!this.#playing) {
      const enough = this.#depth >= this.target || (this.#ending && this.#depth > 0);
      if (!enough) {
        out.fill(0);
        return;
      }
      this.#playing = true;
      this.#concealed = 0;
      this.#least = Infinity;
      this.#since = 0;
    }
    const taken = this.#take(out);
    if (taken > 0) {
      this.#concealed = 0;
      this.#remember(out.subarray(0, taken));
    }
    if (taken < out.length) this.#runDry(out, taken);
    this.#watch(out.length);
  }

  #take(out: Float32Array): number {
    let at = 0;
    while (at < out.length) {
      const [chunk] = this.#chunks;
      if (!chunk) break;
      const part = chunk.subarray(this.#played, this.#played + out.length - at);
      out.set(part, at);
      at += part.length;
      this.#played += part.length;
      if (this.#played === chunk.length) {
        this.#chunks.shift();
        this.#played = 0;
      }
    }
    this.#depth -= at;
    return at;
  }

  #remember(samples: Float32Array): void {
    const kept = samples.subarray(Math.max(0, samples.length - PERIOD));
    this.#tail.copyWithin(0, kept.length);
    this.#tail.set(kept, PERIOD - kept.length);
  }

  /** Nothing is there: the last sound goes on, fading, and then it is silent. */
  #runDry(out: Float32Array, from: number): void {
    if (this.#ending) {
      out.fill(0, from);
      this.#begin();
      return;
    }
    this.#ran = true;
    for (let at = from; at < out.length; at += 1) {
      const strength = Math.max(0, 1 - this.#concealed / CONCEALED);
      out[at] = (this.#tail[this.#concealed % PERIOD] ?? 0) * strength;
      this.#concealed += 1;
    }
    if (this.#concealed >= CONCEALED) this.#playing = false;
  }

  /** Once a second: hold back less in calm, and leave some out when too much has piled up. */
  #watch(played: number): void {
    this.#least = Math.min(this.#least, this.#depth);
    this.#since += played;
    if (this.#since < RATE) return;
    if (this.#concealed === 0) this.target = Math.max(LEAST, this.target - CALMER);
    if (this.#least > this.target + SLACK) this.#leaveOut();
    this.#least = Infinity;
    this.#since = 0;
  }

  /** Leave out as much as is too much, in pieces of 10 ms, crossfaded. */
  #leaveOut(): void {
    const whole = new Float32Array(this.#depth);
    const depth = this.#take(whole);
    const surplus = Math.min(depth - this.target, this.#least - this.target);
    const pieces = Math.min(surplus / LEFT_OUT, (depth - FADE) / (2 * LEFT_OUT));
    this.#put(without(whole.subarray(0, depth), Math.max(0, Math.floor(pieces))));
  }

  /** Sound for what is missing: the last that is held, repeated and fading; so much of it was heard. */
  #made(length: number, heard: number): Float32Array {
    const before = this.#chunks.at(-1) ?? this.#tail;
    const period = before.subarray(Math.max(0, before.length - PERIOD));
    return Float32Array.from(
      { length },
      (_, at) => (period[(heard + at) % period.length] ?? 0) * (1 - (heard + at) / CONCEALED),
    );
  }
}

/** Samples without so many pieces of 10 ms, each after 10 ms that stay and faded into the next. */
function without(samples: Float32Array, pieces: number): Float32Array {
  return Float32Array.from({ length: samples.length - pieces * LEFT_OUT }, (_, at) => {
    const before = Math.min(Math.floor(at / LEFT_OUT), pieces);
    const sample = samples[at + before * LEFT_OUT] ?? 0;
    const part = (at - before * LEFT_OUT) / FADE;
    if (before === 0 || part >= 1) return sample;
    return (samples[at + (before - 1) * LEFT_OUT] ?? 0) * (1 - part) + sample * part;
  });
}
