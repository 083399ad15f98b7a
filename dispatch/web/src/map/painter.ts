const SLOWEST = 1000;
const QUICKEST = 33;
/** What may be passed over between two pictures without looking like a jump, in pixels. */
const STEP = 0.25;

/**
 * When to draw the units: with the next frame when something looks different, otherwise as often as
 * the fastest movement in sight needs. On a map of the whole country that is once a second, however
 * many units report.
 */
export class Painter {
  #draw: () => void;
  #fastest: () => number;
  #frame = 0;
  #timer = 0;
  #due = Infinity;

  /** `fastest`: the quickest movement in sight, in pixels a second. */
  constructor(draw: () => void, fastest: () => number) {
    this.#draw = draw;
    this.#fastest = fastest;
  }

  /** Draw with the next frame. */
  soon(): void {
    this.#frame ||= requestAnimationFrame(() => this.now());
  }

  /** Draw at once, within the frame in which the map below was drawn. */
  now(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#draw();
    this.#due = Infinity;
    this.pace();
  }

  /** Movements may have begun: be in time for the fastest. */
  pace(): void {
    const wait = pause(this.#fastest());
    const due = performance.now() + wait;
    if (due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.soon(), wait) as unknown as number;
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
  }
}

/** Milliseconds between two pictures of something that moves so many pixels a second. */
export function pause(pixels: number): number {
  return Math.min(SLOWEST, Math.max(QUICKEST, (STEP * 1000) / Math.max(pixels, 1e-9)));
}
