import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { WorkAsked } from './windows';
import { PATIENCE, WorkWindow } from './workWindow';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Windows of one person; each says what was done in it. */
function windows(...names: string[]): { all: WorkWindow[]; done: string[] } {
  const done: string[] = [];
  const all: WorkWindow[] = names.map((name, at) => {
    const tell = (said: { work?: WorkAsked; works?: string }): void => {
      for (const [other, window] of all.entries()) {
        if (other === at) continue;
        // Only windows with the work do what they are asked for.
        if (said.work && names[other] !== 'map') window.asked(said.work);
        if (said.works) window.answered(said.works);
      }
    };
    return new WorkWindow(
      tell,
      ({ what, key }) => done.push(`${name} ${what} ${key.length}`),
      (what) => done.push(`${name} points there: ${what}`),
    );
  });
  return { all, done };
}

test('the window with the work does it at once, and the map points there', () => {
  const { all, done } = windows('map', 'work');
  all[0]?.ask('take', false);
  expect(done).toEqual(['work take 36', 'map points there: take']);
  vi.advanceTimersByTime(PATIENCE * 2);
  expect(done.length).toBe(2);
});

test('when none answers it is done here', () => {
  const { all, done } = windows('map', 'map');
  all[0]?.ask('take', false);
  expect(done).toEqual([]);
  vi.advanceTimersByTime(PATIENCE);
  expect(done).toEqual(['map take 36']);
});

test('where the work is nobody is asked', () => {
  const { all, done } = windows('work', 'work');
  all[0]?.ask('next', true);
  expect(done).toEqual(['work next 36']);
});

test('two windows with the work take one call, by one key', () => {
  const keys: string[] = [];
  const said: { work?: WorkAsked; works?: string }[] = [];
  const work = [0, 1].map(
    () =>
      new WorkWindow(
        () => undefined,
        ({ key }) => keys.push(key),
        () => undefined,
      ),
  );
  new WorkWindow(
    (what) => said.push(what),
    () => undefined,
    () => undefined,
  ).ask('take', false);
  for (const window of work) window.asked(said[0]?.work as WorkAsked);
  expect(new Set(keys).size).toBe(1);
  expect(keys.length).toBe(2);
});
