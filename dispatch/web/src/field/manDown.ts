/** Metres that count as having moved: more than a receiver wanders by itself. */
const MOVED = 25;
/** Change of acceleration that counts as being moved, metres per second squared. */
const SHAKEN = 1.5;

/**
 * A timer for those who work alone: when nothing has moved for so many minutes after it was armed,
 * the red button begins to count down. Times are milliseconds of one clock.
 */
export class ManDown {
  #after: number | null = null;
  #moved = 0;
  #force: number | null = null;

  get armed(): boolean {
    return this.#after !== null;
  }

  arm(minutes: number, now: number): void {
    this.#after = minutes * 60_000;
    this.#moved = now;
  }

  disarm(): void {
    this.#after = null;
  }

  /** A hand, or the map, says that somebody moves. */
  moved(now: number): void {
    this.#moved = now;
  }

  travelled(metres: number, now: number): void {
    if (metres >= MOVED) this.#moved = now;
  }

  /** What the accelerometer says, gravity included (m/s²). */
  felt(force: number, now: number): void {
    if (this.#force !== null && Math.abs(force - this.#force) >= SHAKEN) this.#moved = now;
    this.#force = force;
  }

  /** True when it is time to count down; it then begins anew. */
  due(now: number): boolean {
    if (this.#after === null || now - this.#moved < this.#after) return false;
    this.#moved = now;
    return true;
  }
}
