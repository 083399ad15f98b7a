import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MapWindow } from './mapWindow';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function make() {
  const said: boolean[] = [];
  const closed = new Set<string>();
  const rollCall = {
    closed: (of: readonly string[]) => Promise.resolve(of.filter((one) => closed.has(one))),
  };
  return { said, closed, map: new MapWindow(rollCall, (elsewhere) => said.push(elsewhere)) };
}

test('the place is given while the map is elsewhere, and taken back when that is closed', async () => {
  const { said, map } = make();
  map.take({ what: 'here', window: 'a' });
  map.take({ what: 'here', window: 'a' });
  expect(said).toEqual([true]);
  map.take({ what: 'gone', window: 'a' });
  await vi.advanceTimersByTimeAsync(3_900);
  expect(said).toEqual([true]);
  await vi.advanceTimersByTimeAsync(200);
  expect(said).toEqual([true, false]);
});

test('a map that is reloaded changes nothing, nor one of two that is closed', async () => {
  const { said, map } = make();
  map.take({ what: 'here', window: 'a' });
  map.take({ what: 'gone', window: 'a' });
  map.take({ what: 'here', window: 'a' });
  await vi.advanceTimersByTimeAsync(20_000);
  map.take({ what: 'here', window: 'b' });
  map.take({ what: 'gone', window: 'a' });
  await vi.advanceTimersByTimeAsync(20_000);
  expect(said).toEqual([true]);
});

test('one that crashed is noticed', async () => {
  const { said, closed, map } = make();
  map.take({ what: 'here', window: 'a' });
  closed.add('a');
  await vi.advanceTimersByTimeAsync(5_100);
  expect(said).toEqual([true, false]);
  map.take({ what: 'gone', window: 'a' });
  await vi.advanceTimersByTimeAsync(20_000);
  expect(said).toEqual([true, false]);
});
