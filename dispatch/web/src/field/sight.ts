import type { Priority } from '../wire/frames';

/** So long something is before somebody's eyes until it counts as read (milliseconds). */
const READ_AFTER = 1_000;
export const LOOK_EVERY = 250;
/** Looks that are further apart have a dark screen between them. */
const DARK = 4 * LOOK_EVERY;
/** Of what there is room for. */
const ENOUGH = 0.9;

/** What rings. A screen that is on does not say that somebody looks at it: a hand says so. */
export const urgent = (priority: Priority): boolean =>
  priority === 'immediate' || priority === 'emergency';

export interface Span {
  top: number;
  bottom: number;
}

/** Whether something is to be seen in a window, or fills it. */
export function inView(what: Span, window: Span): boolean {
  const seen = Math.min(what.bottom, window.bottom) - Math.max(what.top, window.top);
  const room = Math.min(what.bottom - what.top, window.bottom - window.top);
  return room > 0 && seen >= ENOUGH * room;
}

/** What has been on the screen for long enough to have been read. */
export class Sight {
  #since = new Map<string, number>();
  #last = -Infinity;

  /** `there`: what is on the screen now; called every `LOOK_EVERY`. */
  look(there: readonly string[], now: number): string[] {
    const dark = now - this.#last > DARK;
    this.#last = now;
    const before = dark ? new Map<string, number>() : this.#since;
    this.#since = new Map(there.map((id) => [id, before.get(id) ?? now]));
    return there.filter((id) => now - (this.#since.get(id) ?? now) >= READ_AFTER);
  }
}
