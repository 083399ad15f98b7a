import { expect, test } from 'vitest';
import type { Floor } from '../wire/frames';
import { talkedIn } from './standing';

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
