import { expect, test } from 'vitest';
import { Pointing } from './pointing.svelte';

/** Windows of one person, some with the map; each hears what the others say. */
function windows(...maps: boolean[]): Pointing[] {
  const all: Pointing[] = maps.map(
    (map, at) =>
      new Pointing(
        (said) => {
          for (const [other, window] of all.entries()) if (other !== at) window.follow(said);
        },
        () => map,
      ),
  );
  return all;
}

function two(...maps: [boolean, boolean]): [Pointing, Pointing] {
  return windows(...maps) as [Pointing, Pointing];
}

test('a place is clicked in the window that has the map, and is brought back', () => {
  const [work, map] = two(false, true);
  const places: number[][] = [];
  work.ask((...place) => places.push(place));
  expect([work.on, map.on]).toEqual([true, true]);
  expect(map.at(-88.2, 17.5)).toBe(true);
  expect(places).toEqual([[-88.2, 17.5]]);
  expect([work.on, map.on]).toEqual([false, false]);
  expect(map.at(-88.2, 17.5)).toBe(false);
});

test('whoever gives it up gives it up in both windows', () => {
  const [work, map] = two(false, true);
  const places: number[][] = [];
  const ask = (): void => work.ask((...place) => places.push(place));
  ask();
  map.stop();
  expect(work.on).toBe(false);
  ask();
  work.stop();
  expect(map.on).toBe(false);
  expect(map.at(-88.2, 17.5)).toBe(false);
  expect(places).toEqual([]);
});

test('a window with a map of its own asks no other', () => {
  const [whole, map] = two(true, true);
  const places: number[][] = [];
  whole.ask((...place) => places.push(place));
  expect(map.on).toBe(false);
  whole.at(-88.2, 17.5);
  expect(places).toEqual([[-88.2, 17.5]]);
});

test('of several maps one is clicked', () => {
  const [work, map, other] = windows(false, true, true);
  const places: number[][] = [];
  work?.ask((...place) => places.push(place));
  map?.at(-88.2, 17.5);
  expect(places).toEqual([[-88.2, 17.5]]);
  expect(other?.on).toBe(false);
});
