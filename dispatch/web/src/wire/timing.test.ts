import { expect, test } from 'vitest';
import { backoff } from './backoff';
import { ServerClock } from './clock';

test('waiting grows from half a second to a quarter of a minute, never beyond', () => {
  const longest = [0, 1, 2, 3, 4, 5, 50].map((attempt) => backoff(attempt, 0.999999));
  expect(longest.map(Math.round)).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000]);
});

test('two thousand consoles spread over most of the wait', () => {
  expect(backoff(5, 0)).toBeCloseTo(3750);
  expect(backoff(0, 0)).toBeGreaterThanOrEqual(250);
});

test('the clock believes the sample with the shortest way', () => {
  const clock = new ServerClock();
  clock.add(1000, 1020, 5010); // offset 4000, 20 ms
  clock.add(2000, 4000, 5500); // a delayed answer: offset 2500, 2 s
  expect(clock.offset).toBe(4000);
  expect(clock.latency).toBe(2000);
  expect(clock.at(10_000)).toBe(14_000);
});

test('old samples are forgotten, so that a changed clock is followed', () => {
  const clock = new ServerClock();
  clock.add(0, 2, 101);
  for (let i = 0; i < 8; i++) clock.add(i * 10, i * 10 + 10, i * 10 + 5 + 700);
  expect(clock.offset).toBe(700);
});

test('until the first answer what an earlier run knew is believed', () => {
  const clock = new ServerClock();
  expect(clock.known).toBe(false);
  expect(clock.at(1000)).toBe(1000);
  clock.believe(86_400_000);
  expect(clock.known).toBe(true);
  expect(clock.at(1000)).toBe(86_401_000);
  clock.add(1000, 1020, 5010);
  expect(clock.offset).toBe(4000);
});
