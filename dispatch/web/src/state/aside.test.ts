import { expect, test } from 'vitest';
import { Aside } from './aside.svelte';
import { Shelf } from './storage';

function storage() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}

test('what was put aside stays so in every window and after a reload, until it is pressed again', () => {
  const place = storage();
  const here = new Aside(new Shelf('person:1', place));
  const there = new Aside(new Shelf('person:1', place));
  here.put({ id: 4, presses: 2 });
  expect(there.has({ id: 4, presses: 2 })).toBe(false);
  there.follow('psn:person:1:aside');
  expect(there.has({ id: 4, presses: 2 })).toBe(true);
  expect(there.has({ id: 4, presses: 3 })).toBe(false);
  expect(there.has({ id: 5 })).toBe(false);
  expect(new Aside(new Shelf('person:2', place)).has({ id: 4, presses: 2 })).toBe(false);
  there.back(4);
  expect(new Aside(new Shelf('person:1', place)).has({ id: 4, presses: 2 })).toBe(false);
});

test('what lies there and cannot be read puts nothing aside', () => {
  const place = storage();
  place.setItem('psn:person:1:aside', '[[1,"x"],7,null,[2,1]]');
  const aside = new Aside(new Shelf('person:1', place));
  expect(aside.has({ id: 1 })).toBe(false);
  expect(aside.has({ id: 2 })).toBe(true);
});
