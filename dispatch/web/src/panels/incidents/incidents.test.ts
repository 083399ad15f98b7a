import { expect, test } from 'vitest';
import { distanceText } from '../../state/format';
import { metres } from '../../state/points';
import type { Unit } from '../../state/units';
import type { Incident, UnitItem, UnitStatusWord } from '../../wire/items';
import { byUrgency, EVERYTHING, newcomers, passes, settle } from './arrange';
import { candidates } from './candidates';
import { entryText, type LogEntry, type Names } from './entries';
import { bodyOf, nowOf, placeOf } from './fields';

const incident = (change: Partial<Incident>): Incident => ({
  is: 'incident',
  id: 1,
  agency: 1,
  number: 'BPD-26-00001',
  title: 'Fire',
  priority: 3,
  phase: 'waiting',
  opened: 1_000,
  agencies: [1],
  units: [],
  ...change,
});

test('the most urgent comes first, of equals the oldest, and what is closed last', () => {
  const all = [
    incident({ id: 1, priority: 3, opened: 5 }),
    incident({ id: 2, priority: 1, opened: 9 }),
    incident({ id: 3, priority: 3, opened: 2 }),
    incident({ id: 4, priority: 1, opened: 1, phase: 'closed', closed: 10 }),
    incident({ id: 5, priority: 5, opened: 1, phase: 'closed', closed: 20 }),
  ];
  expect(all.sort(byUrgency).map(({ id }) => id)).toEqual([2, 3, 1, 5, 4]);
});

test('closed incidents are shown only when they are asked for', () => {
  const me = { person: 7, agency: 1 };
  const closed = incident({ phase: 'closed' });
  expect(passes(closed, EVERYTHING, me)).toBe(false);
  expect(passes(closed, { whose: 'all', phases: ['closed'] }, me)).toBe(true);
  expect(passes(incident({}), { whose: 'all', phases: ['closed'] }, me)).toBe(false);
  expect(passes(incident({ owner: 7 }), { whose: 'mine', phases: [] }, me)).toBe(true);
  expect(passes(incident({ owner: 8 }), { whose: 'mine', phases: [] }, me)).toBe(false);
  expect(passes(incident({ agency: 2 }), { whose: 'agency', phases: [] }, me)).toBe(false);
});

test('rows keep their place while somebody is in the list', () => {
  expect(settle([1, 2, 3], [3, 4, 1], true)).toEqual([1, 3, 4]);
  expect(settle([1, 2, 3], [3, 4, 1], false)).toEqual([3, 4, 1]);
  expect(settle([], [2, 1], true)).toEqual([2, 1]);
});

test('what comes while somebody is in the list is told, the most urgent first', () => {
  expect(newcomers([1, 2], [3, 1, 2], [])).toEqual([3]);
  expect(newcomers([1, 2, 3], [4, 3, 1, 2], [3])).toEqual([4, 3]);
  expect(newcomers([1, 2, 3], [2, 1], [3])).toEqual([]);
  expect(newcomers([], [1], [])).toEqual([]);
});

const CITY = { lon: -88.1976, lat: 17.4995 };
const unit = (id: number, lon: number | null): Unit => ({
  id,
  agency: 1,
  callsign: `P-${id}`,
  kind: 'car',
  online: true,
  shown: 'exact',
  place:
    lon === null
      ? null
      : { time: 0, lon, lat: CITY.lat, speed: null, heading: null, accuracy: null },
});
const item = (id: number, status: UnitStatusWord, on: number | null = null): UnitItem => ({
  is: 'unit',
  id,
  status,
  since: 0,
  incident: on,
});

test('a degree of latitude is some 111 km, and distances are said in round numbers', () => {
  expect(metres({ lon: 0, lat: 0 }, { lon: 0, lat: 1 })).toBeCloseTo(111_195, -1);
  expect(metres(CITY, CITY)).toBe(0);
  expect([0, 423, 994, 996, 1_249, 9_960, 17_400].map(distanceText)).toEqual([
    '0 m',
    '420 m',
    '990 m',
    '1.0 km',
    '1.2 km',
    '10 km',
    '17 km',
  ]);
});

test('free units come first, then those that are busy elsewhere, each by distance', () => {
  const units = [unit(1, -88.1), unit(2, -88.19), unit(3, -88.197), unit(4, null), unit(5, -88.2)];
  const items = new Map<number, UnitItem>([
    [1, item(1, 'available')],
    [2, item(2, 'busy')],
    [3, item(3, 'en_route', 9)],
    [4, item(4, 'available')],
    [5, item(5, 'off_duty')],
  ]);
  const found = candidates(units, (id) => items.get(id), CITY);
  expect(found.map((one) => one.unit.id)).toEqual([2, 1, 4, 3, 5]);
  expect(found[2]?.far).toBeNull();
  expect(candidates(units, (id) => items.get(id), null).every(({ far }) => far === null)).toBe(
    true,
  );
});

const names: Names = {
  agency: (id) => `agency ${id}`,
  unit: (id) => (id === 7 ? 'P-7' : undefined),
  type: (id) => (id === 4 ? 'Burglary' : undefined),
};
const entry = (kind: string, details: Record<string, unknown>): LogEntry => ({
  seq: 1,
  at: 0,
  author: 'person:1',
  author_name: 'Ana',
  agency: 1,
  kind,
  private: false,
  details,
});
const said = (kind: string, details: Record<string, unknown>): string =>
  entryText(entry(kind, details), names);

test('what stands in the log is said in words', () => {
  expect(said('note', { text: 'a white Toyota' })).toBe('a white Toyota');
  expect(said('changed', { field: 'priority', was: 3, now: 1 })).toBe('Priority: 1 (was: 3)');
  expect(said('changed', { field: 'type', was: null, now: 4 })).toBe(
    'Kind: Burglary (was: nothing)',
  );
  expect(said('changed', { field: 'details', was: 'long', now: 'longer' })).toBe('Details: longer');
  expect(said('unit_status', { unit: 7, callsign: 'old', status: 'en_route' })).toBe(
    'P-7: En route',
  );
  // A unit that is not shown any more is called as it was called then.
  expect(said('unit_left', { unit: 8, callsign: 'C-8', outcome: 'recalled', reason: 'rain' })).toBe(
    'C-8: recalled. rain',
  );
  expect(said('answered', { agency: 3, answer: 'offered', text: 'a boat' })).toBe(
    'agency 3 offers something else. a boat',
  );
  expect(said('closed', { outcome: 'nothing_found', text: '' })).toBe('Closed: Nothing found');
});

test('an entry of a kind that is not known is shown all the same', () => {
  expect(said('weather_turned', { wind: 40 })).toBe('weather turned {"wind":40}');
  expect(said('note', {})).toBe('');
});

test('a change says what the field was; a point is kept unless another is chosen', () => {
  const there = incident({ place: 'Bridge', lon: -881_000_000, lat: 174_000_000, type: 4 });
  expect(nowOf(there, 'type')).toBe('4');
  expect(bodyOf(there, 'type', '4', '')).toEqual({
    incident: 1,
    field: 'type',
    was: 4,
    now: null,
  });
  expect(bodyOf(there, 'priority', '3', '1')).toMatchObject({ was: 3, now: 1 });
  const from = placeOf(there);
  expect(
    bodyOf(there, 'place', 'Bridge', { from, to: { ...from, text: 'Old bridge' } }),
  ).toMatchObject({
    was: { text: 'Bridge', lon: -881_000_000, lat: 174_000_000 },
    now: { text: 'Old bridge', lon: -881_000_000, lat: 174_000_000 },
  });
  const away = { text: 'Cozumel', lon: -869_000_000, lat: 204_000_000 };
  expect(bodyOf(there, 'place', 'Bridge', { from, to: away })).toMatchObject({
    now: { ...away, anywhere: true },
  });
  const nowhere = { text: 'Somewhere', lon: null, lat: null };
  expect(bodyOf(there, 'place', 'Bridge', { from: nowhere, to: nowhere })).toEqual({
    incident: 1,
    field: 'place',
    was: { text: 'Bridge' },
    now: { text: 'Somewhere' },
  });
});
