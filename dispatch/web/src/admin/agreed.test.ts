import { expect, test } from 'vitest';
import { agreed } from './agreed';
import type { Agreement, Shown } from './answers';
import { belizeField, belizeMoment } from './moments';

function agreement(id: number, units: Shown, more: Partial<Agreement> = {}): Agreement {
  const terms = { reason: 'r', author: null, starts: 10, ends: null, messages: false };
  return { id, owner: 1, viewer: 2, units, ...terms, ...more };
}

test('the best that holds now counts, and the first end is told', () => {
  const all = [
    agreement(1, 'presence', { ends: 300 }),
    agreement(2, 'blurred', { ends: 200, messages: true }),
    agreement(3, 'exact', { starts: 150 }),
    agreement(4, 'exact', { ends: 90 }),
    agreement(5, 'exact', { owner: 2, viewer: 1 }),
  ];
  expect(agreed(all, 1, 2, 100)).toEqual({
    units: 'blurred',
    messages: true,
    until: 200,
    ids: [1, 2],
  });
  expect(agreed(all, 1, 2, 200).units).toBe('exact');
  expect(agreed(all, 1, 3, 100)).toEqual({
    units: 'nothing',
    messages: false,
    until: null,
    ids: [],
  });
});

test('times of fields are those of Belize, there and back', () => {
  expect(belizeMoment('2026-11-24T06:00')).toBe(Date.UTC(2026, 10, 24, 12));
  expect(belizeField(Date.UTC(2026, 10, 24, 12))).toBe('2026-11-24T06:00');
  expect(belizeMoment('')).toBeNull();
  expect(belizeMoment('soon')).toBeNull();
});
