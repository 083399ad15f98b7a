import { expect, test } from 'vitest';
import { ManDown } from './manDown';

test('nothing moved for so long: it is time', () => {
  const timer = new ManDown();
  expect(timer.due(1e9)).toBe(false);
  timer.arm(2, 0);
  expect(timer.due(119_999)).toBe(false);
  expect(timer.due(120_000)).toBe(true);
  expect(timer.due(120_001)).toBe(false);
});

test('a hand, a shake and a way put it off; a table that trembles does not', () => {
  const timer = new ManDown();
  timer.arm(1, 0);
  timer.moved(30_000);
  expect(timer.due(60_000)).toBe(false);
  timer.felt(9.8, 70_000);
  timer.felt(10.1, 71_000);
  timer.travelled(5, 72_000);
  expect(timer.due(90_000)).toBe(true);
  timer.felt(13, 100_000);
  expect(timer.due(150_001)).toBe(false);
  timer.travelled(40, 155_000);
  expect(timer.due(160_000)).toBe(false);
});

test('disarmed it says nothing', () => {
  const timer = new ManDown();
  timer.arm(1, 0);
  timer.disarm();
  expect(timer.due(1e9)).toBe(false);
});

test('after a restart it goes on from where it was', () => {
  const before = new ManDown();
  before.arm(5, 0);
  before.moved(60_000);
  const kept = before.armed;
  expect(kept).toEqual({ minutes: 5, moved: 60_000 });
  const timer = new ManDown();
  if (kept) timer.resume(kept, 200_000);
  expect(timer.due(359_999)).toBe(false);
  expect(timer.due(360_000)).toBe(true);
});

test('one that is over when the page opens leaves a moment to be seen', () => {
  const timer = new ManDown();
  timer.resume({ minutes: 5, moved: 0 }, 9_000_000);
  expect(timer.due(9_029_999)).toBe(false);
  expect(timer.due(9_030_000)).toBe(true);
});

test('a clock that was set back does not put it off', () => {
  const timer = new ManDown();
  timer.resume({ minutes: 5, moved: 500_000 }, 100_000);
  expect(timer.due(400_000)).toBe(true);
});
