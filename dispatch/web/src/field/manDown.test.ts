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
