import type { Fix } from '../wire/frames';

const DAY = 86_400_000;
const MOST = 20_000;
/** Of one frame; the server takes 1,000. */
export const BATCH = 500;

/**
 * Positions that are not known to be at the server, oldest first; a position's time is its name. A
 * live one is not answered, so it stays until a later ping is; when the connection is lost before,
 * it goes with the next batch.
 */
export class FixLog {
  #fixes: Fix[];
  #sent = new Map<number, number>();

  constructor(kept: readonly Fix[] = []) {
    this.#fixes = [...kept].sort((a, b) => a[1] - b[1]);
  }

  get length(): number {
    return this.#fixes.length;
  }

  /** How many did not go out on this connection, and the time of the oldest of them (ms UTC). */
  get waiting(): { count: number; since: number | null } {
    const waiting = this.#fixes.filter(([, time]) => !this.#sent.has(time));
    return { count: waiting.length, since: waiting[0]?.[1] ?? null };
  }

  /** Keep one; gives the times of those that are too many or too old and are forgotten. */
  add(fix: Fix): number[] {
    this.#fixes.push(fix);
    const old = this.#fixes.filter(
      ([, time], index) => time < fix[1] - DAY || index < this.#fixes.length - MOST,
    );
    return this.remove(old.map(([, time]) => time));
  }

  /** Those that are to be sent, a batch at most. */
  unsent(): Fix[] {
    return this.#fixes.filter(([, time]) => !this.#sent.has(time)).slice(0, BATCH);
  }

  /** It went out on this connection at `at` (local clock, ms). */
  sent(time: number, at: number): void {
    this.#sent.set(time, at);
  }

  /** All that went out before `at` has arrived: the times that are done with. */
  reached(at: number): number[] {
    return this.remove([...this.#sent].filter(([, sent]) => sent < at).map(([time]) => time));
  }

  /** The connection is gone, and what became of the newest is not known. */
  lost(): void {
    this.#sent.clear();
  }

  remove(times: readonly number[]): number[] {
    const gone = new Set(times);
    this.#fixes = this.#fixes.filter(([, time]) => !gone.has(time));
    for (const time of times) this.#sent.delete(time);
    return [...times];
  }
}
