import { expect, test } from 'vitest';
import type { Floor } from '../wire/frames';
import type { Talk } from './radio.svelte';
import { standing, talkedIn } from './standing';

test('who talks elsewhere: an emergency first, and nobody who is not heard', () => {
  const floors: Floor[] = [
    { t: 'floor', group: 'group:1', talker: 'unit:1' },
    { t: 'floor', group: 'group:2' },
    { t: 'floor', group: 'group:3', talker: 'unit:3', call: 'peril' },
    { t: 'floor', group: 'group:4', talker: 'unit:4', call: 'emergency' },
    { t: 'floor', group: 'group:5', talker: 'unit:5', call: 'emergency' },
  ];
  const found = talkedIn(floors, (group) => group !== 'group:5');
  expect(found.map(({ group }) => group)).toEqual(['group:4', 'group:3', 'group:1']);
});

test('who waits for a radio is told so: it cannot be interrupted', () => {
  const words = {
    quiet: '',
    asked: '',
    talking: '',
    ending: '',
    queued: (position: number) => `queued ${position}`,
    forRadio: (position: number) => `for a radio ${position}`,
  };
  const talk = { wish: 'queued', position: 2, warned: false } as Talk;
  expect(standing({ ...talk, forRadio: true }, undefined, words)).toBe('for a radio 2');
  expect(standing({ ...talk, forRadio: false }, undefined, words)).toBe('queued 2');
});
