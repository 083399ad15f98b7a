import { expect, test } from 'vitest';
import { asThreshold, asWord, onChart, speedIn, type Shift } from './beforehand';
import { DAY, days, onDuty, partsOf } from './roster';

test('what people type becomes a word as programs write it', () => {
  expect(asWord('  First aid ')).toBe('first_aid');
  expect(asWord('Búsqueda/rescate')).toBe('busqueda_rescate');
  expect(asWord('4x4')).toBe('4x4');
  expect(asWord(' – ')).toBe('');
});

test('speeds come back as they were said, and in the other measure', () => {
  for (const speed of [5, 30, 55, 90, 120]) {
    expect(speedIn(asThreshold(speed, 'kmh'), 'kmh')).toBe(String(speed));
  }
  for (const speed of [2, 7.5, 10, 25, 40]) {
    expect(speedIn(asThreshold(speed, 'knots'), 'knots')).toBe(String(speed));
  }
  expect(asThreshold(10, 'knots')).toBe(514);
  expect(speedIn(514, 'kmh')).toBe('18.5');
});

test('a position reads as on a chart', () => {
  expect(onChart(-881_976_000, 174_995_000)).toBe('17° 29.970′ N 88° 11.856′ W');
});

const noon = Date.UTC(2026, 10, 24, 18);
const midnight = Date.UTC(2026, 10, 24, 6);
const HOUR = 3_600_000;

function shift(id: number, from: number, until: number, unit = 1): Shift {
  return { id, unit, starts: midnight + from * HOUR, ends: midnight + until * HOUR, crew: [] };
}

test('a roster begins with today in Belize and has eight days', () => {
  const all = days(noon);
  expect(all[0]).toBe(midnight);
  expect(all).toHaveLength(8);
  expect(all[7]).toBe(midnight + 7 * DAY);
  expect(days(midnight - 1)[0]).toBe(midnight - DAY);
});

test('a shift over midnight stands in both days, one until midnight in one', () => {
  const night = shift(1, 18, 30);
  const day = shift(2, 6, 24);
  const all = [night, day, shift(3, 7, 8, 2)];
  expect(partsOf(all, 1, midnight)).toEqual([
    { shift: day, from: day.starts, until: day.ends },
    { shift: night, from: night.starts, until: null },
  ]);
  expect(partsOf(all, 1, midnight + DAY)).toEqual([
    { shift: night, from: null, until: night.ends },
  ]);
  expect(partsOf(all, 1, midnight + 2 * DAY)).toEqual([]);
});

test('on duty is the shift that began last', () => {
  const all = [shift(1, 0, 24), shift(2, 11, 13), shift(3, 13, 14)];
  expect(onDuty(all, 1, noon)?.id).toBe(2);
  expect(onDuty(all, 1, noon + 3 * HOUR)?.id).toBe(1);
  expect(onDuty(all, 2, noon)).toBeNull();
});
