import { expect, test } from 'vitest';
import { nearBelize, pointIn } from './coordinates';

test.each([
  ['17.4995, -88.1976', 17.4995, -88.1976],
  ['17.4995 -88.1976', 17.4995, -88.1976],
  ['17.4995, −88.1976', 17.4995, -88.1976],
  ['17.4995 88.1976', 17.4995, -88.1976],
  ['-88.1976 W 17.4995 N', 17.4995, -88.1976],
  ['17.4995N 88.1976W', 17.4995, -88.1976],
  ['N 17.4995 W 88.1976', 17.4995, -88.1976],
  ['17.4995 n, 88.1976 o', 17.4995, -88.1976],
  ['17° 29.970′ N 88° 11.856′ W', 17.4995, -88.1976],
  ['17°29\'58.2"N 88°11\'51.36"W', 17.4995, -88.1976],
  ['17° 30′ N, 88° W', 17.5, -88],
  ['0, 0', 0, 0],
])('%s', (text, lat, lon) => {
  const point = pointIn(text);
  expect(point?.lat).toBeCloseTo(lat, 4);
  expect(point?.lon).toBeCloseTo(lon, 4);
});

test.each([
  '',
  '17.5',
  '12',
  'Queen Street 12',
  '12 Queen Street',
  'mile 12, Western Highway',
  '91 200',
  '17.5, -188',
  '17.5 N 88.2 N',
  '17.5, -88.2 near the bridge',
  '1'.repeat(200),
  '17175',
])('%s is no point', (text) => {
  expect(pointIn(text)).toBeNull();
});

test('what is far away is asked about', () => {
  expect(nearBelize({ lat: 17.5, lon: -88.2 })).toBe(true);
  expect(nearBelize({ lat: 0, lon: 0 })).toBe(false);
});
