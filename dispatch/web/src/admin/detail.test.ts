import { expect, test } from 'vitest';
import { detailLines } from './detail';

test('a change is told field by field', () => {
  expect(detailLines({ old: { label: 'A', ends: null }, new: { label: 'B', ends: 5 } })).toEqual([
    'label: A → B',
    'ends: – → 5',
  ]);
  expect(detailLines({ new: { roles: ['field'] }, role: 'psn' })).toEqual([
    'roles: ["field"]',
    'role: psn',
  ]);
  expect(detailLines({ old: { name: 'gone' } })).toEqual(['name: gone']);
});

test('what is long is cut, and what is odd is shown as it is', () => {
  expect(detailLines({ key: 'x'.repeat(500) })).toEqual([`key: ${'x'.repeat(48)}…`]);
  expect(detailLines({ old: 'text', html: '<b>' })).toEqual(['html: <b>']);
  expect(detailLines({})).toEqual([]);
});
