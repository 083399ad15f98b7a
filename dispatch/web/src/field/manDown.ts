/** Metres that count as having moved: more than a receiver wanders by itself. */
const MOVED = 25;
/** Change of acceleration that counts as being moved, metres per second squared. */
const SHAKEN = 1.5;
/** Whoever opens the page again has so long at least to see that it is armed. */
const OPENED = 30_000;

/** That it is armed, as it is kept over a restart. */
export interface Armed {
  minutes: number;
  /** When something moved last. */
  moved: number;
}

/**
 * A timer for those who work alone: when nothing has moved for so many minutes after it was armed,
 * the red button begins to count down. Times are milliseconds of one clock.
 */
export class ManDown {
  #armed: Armed | null = null;
  #force: number | null = null;

  get armed(): Armed | null {
    return this.#armed;
  }

  arm(minutes: number, now: number): void {
    this.#armed = { minutes, moved: now };
  }

  /** Go on from where it was before a restart: the time in between counts. */
  resume({ minutes, moved }: Armed, now: number): void {
    const latest = now - minutes * 60_000 + OPENED;
    this.#armed = { minutes, moved: Math.min(now, Math.max(moved, latest)) };
  }

  disarm(): void {
    this.#armed = null;
  }

  /** A hand, or the map, says that somebody moves. */
  moved(now: number): void {
    if (this.#armed) this.#armed = { ...this.#armed, moved: now };
  }

  travelled(metres: number, now: number): void {
    if (metres >= MOVED) this.moved(now);
  }

  /** What the accelerometer says, gravity included (m/s²). */
  felt(force: number, now: number): void {
    if (this.#force !== null && Math.abs(force - this.#force) >= SHAKEN) this.moved(now);
    this.#force = force;
  }

  /** True when it is time to count down; it then begins anew. */
  due(now: number): boolean {
    if (!this.#armed || now - this.#armed.moved < this.#armed.minutes * 60_000) return false;
    this.moved(now);
    return true;
  }
}
