import { expect, test } from 'vitest';
import { Playout } from './playout';

const FRAME = 960;
const QUANTUM = 128;

/** So many milliseconds of a tone, from a sample on. */
function tone(from: number, length = FRAME): Float32Array {
  return Float32Array.from({ length }, (_, at) => 0.5 * Math.sin((from + at) * 0.05));
}

function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** Plays frames that come at these milliseconds; `null` never comes. What is heard. */
function played(
  playout: Playout,
  arrivals: (number | null)[],
  seconds: number,
  frame = FRAME,
): Float32Array {
  const heard = new Float32Array(Math.ceil((seconds * 48_000) / QUANTUM) * QUANTUM);
  let next = 0;
  let lost = 0;
  for (let at = 0; at < heard.length; at += QUANTUM) {
    for (; next < arrivals.length; next += 1) {
      const due = arrivals[next] ?? null;
      if (due === null) {
        lost += frame;
        continue;
      }
      if (due > at / 48) break;
      playout.push(tone(next * frame, frame), lost, next === arrivals.length - 1);
      lost = 0;
    }
    playout.pull(heard.subarray(at, at + QUANTUM));
  }
  return heard;
}

const steady = (frames: number): number[] => Array.from({ length: frames }, (_, n) => n * 20);
const silent = (heard: Float32Array): number => heard.findIndex((sample) => sample !== 0);

test('what comes evenly is heard as it was said, a little later', () => {
  const heard = played(new Playout(), steady(50), 1.2);
  const begin = silent(heard) - 1;
  expect(begin / 48).toBeLessThan(70);
  heard.subarray(begin, begin + 50 * FRAME).forEach((sample, at) => {
    expect(sample).toBeCloseTo(0.5 * Math.sin(at * 0.05), 5);
  });
  expect(heard.subarray(begin + 50 * FRAME).every((sample) => sample === 0)).toBe(true);
});

test('a word that is shorter than what is held back is heard', () => {
  const playout = new Playout();
  playout.push(tone(0), 0, true);
  const heard = new Float32Array(QUANTUM);
  playout.pull(heard);
  expect(silent(heard)).toBeGreaterThanOrEqual(0);
  for (let n = 0; n < 20; n += 1) playout.pull(heard);
  expect(playout.silent).toBe(true);
  expect(playout.dry).toBe(0);
});

test('60 ms of jitter and 3 % of loss: it stays continuous, and the delay does not grow', () => {
  const chance = random(7);
  const playout = new Playout();
  let before = 0;
  const arrivals = Array.from({ length: 1_500 }, (_, n) => {
    if (chance() < 0.03) return null;
    // In order, as on one connection.
    before = Math.max(before, n * 20 + chance() * 60);
    return before;
  });
  const heard = played(playout, arrivals, 30);
  const begin = silent(heard);
  let gaps = 0;
  for (let at = begin; at < 29 * 48_000; at += QUANTUM) {
    if (heard.subarray(at, at + QUANTUM).every((sample) => sample === 0)) gaps += 1;
  }
  expect(gaps).toBe(0);
  expect(playout.dry).toBeLessThanOrEqual(5);
  expect(playout.depth / 48).toBeLessThan(200);
});

test.each([20, 40, 60])(
  'after a minute on a poor line a talk in packets of %i ms begins no later',
  (length) => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const chance = random(seed);
      const playout = new Playout();
      let sent = 0;
      let before = 0;
      const arrivals = Array.from({ length: 60_000 / length }, (_, n) => {
        if (chance() < 0.06) return null;
        // Late on the way to the server, and on the way from it; in order on each.
        sent = Math.max(sent, n * length + chance() * 60);
        before = Math.max(before, sent + chance() * 60);
        return before;
      });
      played(playout, arrivals, 61, length * 48);
      // What is held back is what was needed: no more than what can be late, and two packets.
      expect(playout.target / 48).toBeLessThan(120 + 2 * length);
    }
  },
);

test.each([40, 60])('packets of %i ms stay continuous on a poor line too', (length) => {
  const chance = random(11);
  const playout = new Playout();
  let before = 0;
  const arrivals = Array.from({ length: 60_000 / length }, (_, n) => {
    if (chance() < 0.03) return null;
    before = Math.max(before, n * length + chance() * 60);
    return before;
  });
  const heard = played(playout, arrivals, 60, length * 48);
  let gaps = 0;
  for (let at = silent(heard); at < 59 * 48_000; at += QUANTUM) {
    if (heard.subarray(at, at + QUANTUM).every((sample) => sample === 0)) gaps += QUANTUM / 48;
  }
  // What is lost is longer than what can be made up for wholly; the rest is 1.5 % of the time.
  expect(gaps).toBeLessThan(0.015 * 59_000);
  expect(playout.depth / 48).toBeLessThan(300);
});

test('after a pause of the line the delay comes down again', () => {
  const playout = new Playout();
  const arrivals = steady(1_000).map((due) => (due > 2_000 && due < 2_600 ? 2_600 : due));
  played(playout, arrivals, 19);
  expect(playout.dry).toBe(1);
  expect(playout.depth / 48).toBeLessThan(150);
});

test('what is left out is not heard as a click', () => {
  const playout = new Playout();
  const arrivals = steady(600).map((due) => (due > 1_000 && due < 1_400 ? 1_400 : due));
  const heard = played(playout, arrivals, 11);
  let worst = 0;
  for (let at = 1; at < heard.length; at += 1) {
    worst = Math.max(worst, Math.abs((heard[at] ?? 0) - (heard[at - 1] ?? 0)));
  }
  // The tone itself moves by 0.025 a sample; a crossfade of two phases somewhat faster.
  expect(worst).toBeLessThan(0.55);
});

/** A talk of so many frames of which nobody says that one is the last; then `end`, and calm. */
function talk(playout: Playout, frames: number, end: boolean): Float32Array {
  const heard = new Float32Array(Math.ceil(((frames * 20 + 400) * 48) / QUANTUM) * QUANTUM);
  let next = 0;
  for (let at = 0; at < heard.length; at += QUANTUM) {
    for (; next < frames && next * 20 <= at / 48; next += 1) {
      playout.push(tone(next * FRAME));
      if (end && next === frames - 1) playout.end();
    }
    playout.pull(heard.subarray(at, at + QUANTUM));
  }
  return heard;
}

test('a talk without a last frame is heard to its end when the floor is free', () => {
  const playout = new Playout();
  const heard = talk(playout, 25, true);
  const begin = silent(heard) - 1;
  heard.subarray(begin, begin + 25 * FRAME).forEach((sample, at) => {
    expect(sample).toBeCloseTo(0.5 * Math.sin(at * 0.05), 5);
  });
  expect(heard.subarray(begin + 25 * FRAME).every((sample) => sample === 0)).toBe(true);
  expect(playout.silent).toBe(true);
  expect(playout.dry).toBe(0);
});

test('a word that is shorter than what is held back is not kept for the next talk', () => {
  const playout = new Playout();
  const heard = talk(playout, 1, true);
  expect(silent(heard)).toBeGreaterThanOrEqual(0);
  expect(playout.silent).toBe(true);
});

test('twenty talks do not make it hold back more', () => {
  const playout = new Playout();
  const { target } = playout;
  for (let n = 0; n < 20; n += 1) talk(playout, 10, true);
  expect(playout.target).toBeLessThanOrEqual(target);
  expect(playout.dry).toBe(0);
});

test('an end that is told only after it ran dry is no lateness', () => {
  const playout = new Playout();
  const { target } = playout;
  for (let n = 0; n < 20; n += 1) {
    talk(playout, 10, false);
    playout.end();
  }
  expect(playout.target).toBeLessThanOrEqual(target);
});

test('what piles up while nothing is played is not held beyond a second', () => {
  const playout = new Playout();
  for (let n = 0; n < 3_000; n += 1) playout.push(tone(n * FRAME));
  expect(playout.depth / 48).toBeLessThanOrEqual(1_000);
  const heard = new Float32Array(QUANTUM);
  playout.pull(heard);
  expect(heard[0]).toBeCloseTo(0.5 * Math.sin(2_950 * FRAME * 0.05), 5);
});

test('a second talk is held back anew', () => {
  const playout = new Playout();
  played(playout, steady(10), 0.5);
  expect(playout.silent).toBe(true);
  const heard = played(playout, steady(10), 0.5);
  expect(silent(heard) / 48).toBeGreaterThan(20);
});
