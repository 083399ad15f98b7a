import { expect, test } from 'vitest';
import { arrangementOf, layoutOf, type Layout } from './layout';
import { Layouts } from './layouts.svelte';
import { Shelf } from './storage';

function storage() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}
const NIGHT: Layout = {
  list: 'alarms',
  filter: { whose: 'mine', phases: ['waiting'] },
  panel: 'calls',
  view: { lon: -88.2, lat: 17.5, zoom: 12.5 },
  units: { text: 'boat', without: new Set([2, 3]), online: true, stale: false },
  order: 'near',
  theme: 'dark',
};

test('a layout comes back whole, in another window, by its name in any case', () => {
  const place = storage();
  const there = new Layouts(new Shelf('person:1', place));
  expect(new Layouts(new Shelf('person:1', place)).save('Night shift', NIGHT)).toBe(true);
  expect(there.get('night SHIFT')).toBeNull();
  there.follow('psn:person:1:layouts');
  expect(there.names).toEqual(['Night shift']);
  expect(there.get('night SHIFT')).toEqual(NIGHT);
  expect(new Layouts(new Shelf('person:2', place)).names).toEqual([]);
});

test('the same name replaces, a deleted one is gone, and another window loses nothing', () => {
  const place = storage();
  const here = new Layouts(new Shelf('person:1', place));
  const there = new Layouts(new Shelf('person:1', place));
  here.save('Night', NIGHT);
  there.save('Day', { ...NIGHT, theme: 'light' });
  here.save('NIGHT', { ...NIGHT, list: 'units' });
  expect(here.names).toEqual(['Day', 'NIGHT']);
  expect(here.get('night')?.list).toBe('units');
  here.drop('day');
  expect(new Layouts(new Shelf('person:1', place)).names).toEqual(['NIGHT']);
});

test('what cannot be read is arranged as for a newcomer', () => {
  const plain = { list: 'units', filter: { whose: 'all', phases: [] }, panel: 'messages' };
  expect(arrangementOf(null)).toEqual({ ...plain, view: null });
  expect(
    arrangementOf({ list: 'x', filter: { phases: 3 }, view: { lon: 'a', lat: 1, zoom: 2 } }),
  ).toEqual({ ...plain, view: null });
  expect(layoutOf({ units: { without: [1, 'x'] }, theme: 'pink' })).toMatchObject({
    units: { without: new Set([1]) },
    theme: 'auto',
  });
});
