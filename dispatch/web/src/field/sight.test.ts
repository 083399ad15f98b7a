import { expect, test } from 'vitest';
import { inView, LOOK_EVERY, Sight, urgent } from './sight';

const WINDOW = { top: 100, bottom: 500 };

/** Looks from one moment to another; what was read in between. */
function watch(sight: Sight, there: readonly string[], from: number, to: number): string[] {
  const read = new Set<string>();
  for (let now = from; now <= to; now += LOOK_EVERY)
    for (const id of sight.look(there, now)) read.add(id);
  return [...read];
}

test('what is on the screen for a second was read, what comes later a second later', () => {
  const sight = new Sight();
  expect(watch(sight, ['a'], 0, 750)).toEqual([]);
  expect(watch(sight, ['a', 'b'], 1_000, 1_750)).toEqual(['a']);
  expect(watch(sight, ['b'], 2_000, 2_000)).toEqual(['b']);
});

test('what left the screen begins anew', () => {
  const sight = new Sight();
  watch(sight, ['a'], 0, 750);
  expect(watch(sight, [], 1_000, 1_000)).toEqual([]);
  expect(watch(sight, ['a'], 1_250, 2_000)).toEqual([]);
  expect(watch(sight, ['a'], 2_250, 2_250)).toEqual(['a']);
});

test('a screen that was off in between showed nothing', () => {
  const sight = new Sight();
  watch(sight, ['a'], 0, 500);
  expect(watch(sight, ['a'], 60_000, 60_750)).toEqual([]);
  expect(watch(sight, ['a'], 61_000, 61_000)).toEqual(['a']);
});

test.each([
  ['within', { top: 100, bottom: 200 }, true],
  ['above', { top: 0, bottom: 90 }, false],
  ['half below', { top: 450, bottom: 550 }, false],
  ['its edge cut', { top: 405, bottom: 505 }, true],
  ['longer than the window, filling it', { top: 50, bottom: 900 }, true],
  ['longer than the window, its beginning', { top: 300, bottom: 1_200 }, false],
])('%s', (_, what, seen) => {
  expect(inView(what, WINDOW)).toBe(seen);
});

test('nothing is seen in a window without height', () => {
  expect(inView({ top: 100, bottom: 200 }, { top: 100, bottom: 100 })).toBe(false);
});

test('what rings is urgent', () => {
  expect((['routine', 'priority', 'immediate', 'emergency'] as const).map(urgent)).toEqual([
    false,
    false,
    true,
    true,
  ]);
});
