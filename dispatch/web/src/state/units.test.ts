import { beforeEach, expect, test } from 'vitest';
import type { Roster, Seat } from '../wire/frames';
import { arrange, choose, fold, NO_FILTER, type Order } from './filter';
import { ageOf, labelOf, placeOf, UnitBook } from './units';

const roster: Roster = {
  t: 'roster',
  agencies: [],
  groups: [],
  people: [],
  units: [
    { id: 1, agency: 1, callsign: 'P-10', kind: 'patrol_car', online: true },
    { id: 2, agency: 1, callsign: 'P-9', kind: 'foot' },
    { id: 3, agency: 2, callsign: 'Peña', kind: 'boat', online: true },
  ],
};
const seat = (unit: number, time: number): Seat => [
  unit,
  time,
  -881_975_600,
  174_995_200,
  1000,
  9000,
  500,
];
let book: UnitBook;
beforeEach(() => {
  book = new UnitBook();
  book.roster(roster);
});

test('integers of the wire become degrees, metres per second and metres', () => {
  expect(placeOf(seat(1, 5))).toEqual({
    time: 5,
    lon: -88.19756,
    lat: 17.49952,
    speed: 10,
    heading: 90,
    accuracy: 5,
  });
  expect(placeOf([1, 5, 0, 0, null, null, null])).toMatchObject({ speed: null, heading: null });
});

test('an older position never replaces a newer one, nor does a stranger appear', () => {
  book.picture([seat(1, 100), seat(1, 50), seat(99, 100)]);
  expect(book.units.get(1)?.place?.time).toBe(100);
  expect(book.units.has(99)).toBe(false);
});

test('a new roster forgets the old picture; a change of one unit keeps its place', () => {
  book.picture([seat(1, 100)]);
  book.update([{ id: 1, agency: 1, callsign: 'P-11', kind: 'foot' }]);
  expect(book.units.get(1)).toMatchObject({ callsign: 'P-11', place: { time: 100 } });
  book.roster(roster);
  expect(book.units.get(1)?.place).toBeNull();
});

test('gone takes the place and leaves the name', () => {
  book.picture([seat(1, 100)]);
  book.changed.clear();
  book.gone([1]);
  expect(book.units.get(1)).toMatchObject({ callsign: 'P-10', place: null });
  expect([...book.changed]).toEqual([1]);
});

test('a position is stale after a minute and old after five', () => {
  book.picture([seat(1, 1_000_000)]);
  const unit = book.units.get(1)!;
  expect([0, 60_000, 60_001, 300_001].map((after) => ageOf(unit, 1_000_000 + after))).toEqual([
    'live',
    'live',
    'stale',
    'old',
  ]);
  expect(ageOf(book.units.get(2)!, 0)).toBe('none');
});

test('the list is in human order, and every word must be found', () => {
  const name = (id: number): string => (id === 1 ? 'Police' : 'Coast Guard');
  const list = (filter: Partial<typeof NO_FILTER>): string[] =>
    arrange(
      choose(book.byCallsign(), { ...NO_FILTER, ...filter }, 0, name).chosen,
      'callsign',
      null,
    ).map((u) => u.callsign);
  expect(list({})).toEqual(['P-9', 'P-10', 'Peña']);
  expect(list({ text: 'police CAR' })).toEqual(['P-10']);
  expect(list({ text: 'pena' })).toEqual(['Peña']);
  expect(list({ without: new Set([1]) })).toEqual(['Peña']);
  expect(list({ online: true })).toEqual(['P-10', 'Peña']);
});

test('the list is by distance or by when a unit was heard, units without a position last', () => {
  book.picture([seat(1, 1000), seat(3, 3000)]);
  const place = book.units.get(3)!.place!;
  book.units.get(3)!.place = { ...place, lat: place.lat + 1 };
  const list = (order: Order, lat: number): string[] =>
    arrange([...book.byCallsign()], order, { ...place, lat }).map((u) => u.callsign);
  expect(list('heard', 0)).toEqual(['Peña', 'P-10', 'P-9']);
  expect(list('near', place.lat)).toEqual(['P-10', 'Peña', 'P-9']);
  expect(list('near', place.lat + 1)).toEqual(['Peña', 'P-10', 'P-9']);
});

test('the order by callsign follows new and renamed units', () => {
  const names = (): string[] => book.byCallsign().map((unit) => unit.callsign);
  expect(names()).toEqual(['P-9', 'P-10', 'Peña']);
  expect(book.byCallsign()).toBe(book.byCallsign());
  book.update([{ id: 4, agency: 1, callsign: 'P-1', kind: 'foot' }]);
  book.update([{ id: 2, agency: 1, callsign: 'P-99', kind: 'foot' }]);
  expect(names()).toEqual(['P-1', 'P-10', 'P-99', 'Peña']);
  book.roster(roster);
  expect(names()).toEqual(['P-9', 'P-10', 'Peña']);
});

test('chips count what they would show', () => {
  book.picture([seat(1, 1000), seat(3, 1000)]);
  const { counts } = choose(book.units.values(), NO_FILTER, 100_000, () => '');
  expect(counts).toEqual({
    agencies: new Map([
      [1, 2],
      [2, 1],
    ]),
    online: 2,
    stale: 2,
  });
});

test('folding drops accents and case', () => {
  expect(fold('Ñandú ÉÖ')).toBe('nandu eo');
});

test('what is removed keeps no name and no place, and a blurred one says so', () => {
  const book = new UnitBook();
  const unit = { id: 1, agency: 1, callsign: 'P-1', kind: 'car' };
  book.update([unit, { ...unit, id: 2, callsign: 'B-1', shown: 'blurred' }]);
  book.picture([[1, 1_000, 0, 0]] as unknown as Seat[]);
  expect(labelOf(book.units.get(1))).toBe('P-1');
  expect(labelOf(book.units.get(2))).toBe('≈ B-1');
  book.remove([1, 7]);
  expect([...book.units.keys()]).toEqual([2]);
  expect(book.byCallsign().map((one) => one.callsign)).toEqual(['B-1']);
  expect(labelOf(undefined)).toBe('');
});
