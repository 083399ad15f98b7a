import { expect, test } from 'vitest';
import type { Shown } from '../../wire/frames';
import type { Unit } from '../../state/units';
import { doubtOf, nearest } from './nearest';

const NOW = 10_000_000;
const MINUTE = 60_000;
const CITY = { lon: -88.1976, lat: 17.4995 };

/** A unit so many hundredths of a degree east of the city, seen so many minutes ago. */
function unit(id: number, east: number | null, minutes = 0, shown: Shown = 'exact'): Unit {
  const place = {
    time: NOW - minutes * MINUTE,
    lon: CITY.lon + (east ?? 0) / 100,
    lat: CITY.lat,
    speed: null,
    heading: null,
    accuracy: null,
  };
  return {
    id,
    agency: 1,
    callsign: `P-${id}`,
    kind: 'car',
    online: true,
    shown,
    place: east === null ? null : place,
  };
}
const ids = (...units: Unit[]): number[] =>
  nearest(units, CITY, 1, NOW).map(({ unit: { id } }) => id);

test('the nearest are others that have a place', () => {
  expect(ids(unit(1, 0), unit(2, 9), unit(3, 1), unit(4, null))).toEqual([3, 2]);
});

test('whose place is exact and new comes before whose place is old or blurred', () => {
  expect(ids(unit(2, 1, 12), unit(3, 2, 0, 'blurred'), unit(4, 3), unit(5, 4, 4))).toEqual([
    4, 5, 2, 3,
  ]);
});

test('of those that are not sure only such are told as are perhaps nearer', () => {
  const sure = [unit(2, 2), unit(3, 3), unit(4, 4), unit(5, 5)];
  expect(ids(...sure, unit(6, 1, 30), unit(7, 4.5, 30))).toEqual([2, 3, 4, 6]);
});

test('a place says how old it is, and that it is only about right', () => {
  expect(doubtOf(unit(2, 1), NOW)).toBe('');
  expect(doubtOf(unit(2, 1, 12), NOW)).toBe('place 12 min old');
  expect(doubtOf(unit(2, 1, 0, 'blurred'), NOW)).toBe('somewhere in a square kilometre');
  expect(doubtOf(unit(2, 1, 12, 'blurred'), NOW)).toBe(
    'somewhere in a square kilometre, place 12 min old',
  );
  expect(doubtOf(unit(2, null), NOW)).toBe('');
});
