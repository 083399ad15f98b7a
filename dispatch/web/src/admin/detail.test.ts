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

test('moments are told as clocks in Belize show them, and keys by their beginning', () => {
  const ends = Date.UTC(2026, 10, 25, 17, 39, 38);
  expect(detailLines({ ends, device: null })).toEqual(['ends: 25 Nov, 11:39:38', 'device: –']);
  expect(detailLines({ new: { ends_at: '2026-11-25T11:44:54.679159+00:00' } })).toEqual([
    'ends_at: 25 Nov, 05:44:54',
  ]);
  expect(detailLines({ at: '2026-99-99T99:99' })).toEqual(['at: 2026-99-99T99:99']);
  expect(detailLines({ limit: 100, ends: 5 })).toEqual(['limit: 100', 'ends: 5']);
  expect(detailLines({ public_key: `\\x${'30'.repeat(40)}` })).toEqual([
    'public_key: \\x303030303030…',
  ]);
});
