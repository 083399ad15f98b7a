import { expect, test } from 'vitest';
import { reportEvery, type Circumstances } from './policy';

const STANDING: Circumstances = {
  speed: 0,
  battery: 80,
  charging: false,
  emergency: false,
  watched: false,
};

test.each<[Partial<Circumstances>, number]>([
  [{}, 30_000],
  [{ speed: null }, 30_000],
  [{ speed: 1.4 }, 5_000],
  [{ speed: 25 }, 2_000],
  [{ watched: true }, 5_000],
  [{ battery: null }, 30_000],
  [{ battery: 20, speed: 25 }, 2_000],
  [{ battery: 19, speed: 25, watched: true }, 60_000],
  [{ battery: 19, speed: 25, charging: true }, 2_000],
  [{ battery: 3, emergency: true }, 1_000],
])('%j: every %i ms', (than, every) => {
  expect(reportEvery({ ...STANDING, ...than })).toBe(every);
});
