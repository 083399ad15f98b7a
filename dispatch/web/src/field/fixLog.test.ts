import { expect, test } from 'vitest';
import type { Fix } from '../wire/frames';
import { BATCH, FixLog } from './fixLog';

const at = (time: number): Fix => [0, time, -881_976_000, 174_995_000, 0, null, 500, null, 81];
const times = (fixes: readonly Fix[]): number[] => fixes.map(([, time]) => time);

test('what was sent stays until a later ping was answered', () => {
  const log = new FixLog();
  log.add(at(1_000));
  log.sent(1_000, 50);
  expect(log.unsent()).toEqual([]);
  expect(log.waiting).toEqual({ count: 0, since: null });
  expect(log.reached(50)).toEqual([]);
  expect(log.length).toBe(1);
  expect(log.reached(51)).toEqual([1_000]);
  expect(log.length).toBe(0);
});

test('what was sent into a dead line goes again, in order, with its own time', () => {
  const log = new FixLog();
  log.add(at(1_000));
  log.sent(1_000, 50);
  log.add(at(2_000));
  log.lost();
  expect(times(log.unsent())).toEqual([1_000, 2_000]);
  expect(log.waiting).toEqual({ count: 2, since: 1_000 });
});

test('a batch is no larger than a frame may be', () => {
  const log = new FixLog(Array.from({ length: BATCH + 3 }, (_, n) => at(n + 1)).reverse());
  const first = log.unsent();
  expect(first).toHaveLength(BATCH);
  expect(first[0]?.[1]).toBe(1);
  log.remove(times(first));
  expect(times(log.unsent())).toEqual([BATCH + 1, BATCH + 2, BATCH + 3]);
});

test('what is older than a day is forgotten', () => {
  const log = new FixLog([at(1), at(86_400_000)]);
  expect(log.add(at(86_400_002))).toEqual([1]);
  expect(log.length).toBe(2);
});
