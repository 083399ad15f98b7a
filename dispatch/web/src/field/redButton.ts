const HOLD = 1_500;
const TRIPLE_WITHIN = 1_500;
export const COUNTDOWN = 5_000;

export type Stage = 'rest' | 'holding' | 'counting';

/** That it counts down, as it is kept over a restart. */
export interface Counting {
  /** What began it. */
  how: 'button' | 'man_down';
  /** When it is an emergency. */
  ends: number;
}

/**
 * The red button: held for a second and a half, or pressed three times, it begins to count down;
 * what is not cancelled then is an emergency. Times are milliseconds of one clock.
 */
export class RedButton {
  stage: Stage = 'rest';
  /** When the countdown is over. */
  ends = 0;
  #since = 0;
  #presses: number[] = [];

  down(now: number): void {
    if (this.stage !== 'rest') return;
    this.#presses = [...this.#presses.filter((at) => now - at < TRIPLE_WITHIN), now];
    if (this.#presses.length >= 3) {
      this.count(now);
      return;
    }
    this.stage = 'holding';
    this.#since = now;
  }

  /** True when it was let go too soon. */
  up(now: number): boolean {
    if (this.stage !== 'holding') return false;
    if (now - this.#since >= HOLD) this.count(now);
    else this.stage = 'rest';
    return this.stage === 'rest';
  }

  /** Begin to count down, whoever asks for it. */
  count(now: number): void {
    this.stage = 'counting';
    this.ends = now + COUNTDOWN;
    this.#presses = [];
  }

  /** Go on with a countdown from before a restart; a clock set back since does not draw it out. */
  resume(ends: number, now: number): void {
    this.count(now);
    this.ends = Math.min(ends, this.ends);
  }

  cancel(): void {
    this.stage = 'rest';
    this.#presses = [];
  }

  /** How far it is held, from 0 to 1. */
  held(now: number): number {
    return this.stage === 'holding' ? Math.min(1, (now - this.#since) / HOLD) : 0;
  }

  /** Time goes on; true, once, when it is an emergency now. */
  tick(now: number): boolean {
    if (this.stage === 'holding' && now - this.#since >= HOLD) this.count(now);
    if (this.stage !== 'counting' || now < this.ends) return false;
    this.cancel();
    return true;
  }
}
