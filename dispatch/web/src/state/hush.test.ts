import { expect, test } from 'vitest';
import { Hush } from './hush.svelte';

test('what was silenced is silent until it comes anew', () => {
  const hush = new Hush();
  hush.add({ messages: ['a'], emergencies: [[3, 1]] });
  hush.add({ messages: ['b'], emergencies: [[4, 2]] });
  expect(['a', 'b', 'c'].map((id) => hush.message(id))).toEqual([true, true, false]);
  expect(hush.emergency({ id: 3 })).toBe(true);
  expect(hush.emergency({ id: 3, presses: 2 })).toBe(false);
  expect(hush.emergency({ id: 4, presses: 2 })).toBe(true);
  expect(hush.emergency({ id: 5 })).toBe(false);
});
