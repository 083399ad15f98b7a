const FIRST = 500;
const LONGEST = 15_000;

/**
 * Milliseconds to wait before try number `attempt` (0 is the first after a loss): exponential
 * between 0.5 s and 15 s with full jitter above a quarter, so that two thousand consoles cut off
 * together do not come back together. `chance` is a number in [0, 1).
 */
export function backoff(attempt: number, chance: number): number {
  const ceiling = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 10));
  return Math.max(FIRST * 0.5, ceiling * (0.25 + 0.75 * chance));
}
