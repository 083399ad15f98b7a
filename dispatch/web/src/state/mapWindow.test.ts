import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MapWindow } from './mapWindow';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The roll call lasts two seconds, and who is silent at its start is closed for it. */
function make() {
  const said: boolean[] = [];
  const closed = new Set<string>();
  const rollCall = {
    closed: async (of: readonly string[]) => {
      const silent = of.filter((one) => closed.has(one));
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      return silent;
    },
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
  await vi.advanceTimersByTimeAsync(7_100);
  expect(said).toEqual([true, false]);
  map.take({ what: 'gone', window: 'a' });
  await vi.advanceTimersByTimeAsync(20_000);
  expect(said).toEqual([true, false]);
});

test('one that is reloaded while it is asked for is still there', async () => {
  const { said, closed, map } = make();
  map.take({ what: 'here', window: 'a' });
  await vi.advanceTimersByTimeAsync(4_900);
  map.take({ what: 'gone', window: 'a' });
  closed.add('a');
  await vi.advanceTimersByTimeAsync(1_000);
  map.take({ what: 'here', window: 'a' });
  closed.clear();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(said).toEqual([true]);
});

test('one that is away longer than the roll call lasts has its time to come back', async () => {
  const { said, closed, map } = make();
  map.take({ what: 'here', window: 'a' });
  await vi.advanceTimersByTimeAsync(4_900);
  map.take({ what: 'gone', window: 'a' });
  closed.add('a');
  await vi.advanceTimersByTimeAsync(3_900);
  map.take({ what: 'here', window: 'a' });
  closed.clear();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(said).toEqual([true]);
  closed.add('a');
  await vi.advanceTimersByTimeAsync(7_100);
  expect(said).toEqual([true, false]);
});
