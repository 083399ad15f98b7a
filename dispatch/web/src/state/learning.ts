import type { Answer } from './http';

/** Milliseconds until it is asked again, the first time and at most. */
const FIRST = 1_000;
const LAST = 15_000;

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/**
 * What a desk has to know before it is whole: what one may do, which fences there are. It is asked
 * again until it is answered, since a desk without it would look like one that may do nothing.
 */
export class Learning {
  #turn = 0;

  constructor(
    private readonly get: <T>(path: string) => Promise<Answer<T>>,
    private readonly wait: (ms: number) => Promise<void> = pause,
  ) {}

  /** What was asked before is asked no more: the connection is another, or somebody has left. */
  over(): void {
    this.#turn += 1;
  }

  /** Ask until it is answered; null when that is over before. */
  async ask<T>(path: string): Promise<T | null> {
    const turn = this.#turn;
    for (let ms = FIRST; ; ms = Math.min(2 * ms, LAST)) {
      const answer = await this.get<T>(path);
      if (turn !== this.#turn) return null;
      if (answer.ok) return answer.value;
      await this.wait(ms);
      if (turn !== this.#turn) return null;
    }
  }
}
