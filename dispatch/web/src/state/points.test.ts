import { describe, expect, it, test } from 'vitest';
import type { Assignment, Emergency, Incident } from '../wire/items';
import { arrived, goalOf, meant, whereabouts } from './points';

const incident = { is: 'incident', place: '5 nm E of Turneffe', lon: -876e6, lat: 173e6 };
const order = (change: Partial<Assignment> = {}): Assignment => ({
  is: 'assignment',
  id: 1,
  incident: 1,
  unit: 1,
  agency: 1,
  order: '',
  ordered: 0,
  ordered_by: '',
  contact: 0,
  ...change,
});
const pier = { place: 'Coast Guard pier', lon: -882e6, lat: 175e6 };
const at = (lat: number, accuracy: number | null = null) => ({ lon: -88.2, lat, accuracy });

describe('where a unit is sent', () => {
  it('is the incident, unless its order says another place', () => {
    expect(goalOf(order(), incident as Incident)).toEqual({
      text: '5 nm E of Turneffe',
      point: { lon: -87.6, lat: 17.3 },
      elsewhere: false,
    });
    expect(goalOf(order(pier), incident as Incident)).toEqual({
      text: 'Coast Guard pier',
      point: { lon: -88.2, lat: 17.5 },
      elsewhere: true,
    });
    expect(goalOf(order({ place: 'the pier' }), incident as Incident).point).toBeNull();
    expect(goalOf(order(), undefined).text).toBe('');
  });

  it('is perhaps reached when a fix that can be believed is near', () => {
    const goal = goalOf(order(pier), undefined);
    expect(arrived(order(), goal, at(17.501))).toBeCloseTo(111, 0);
    expect(arrived(order(), goal, at(17.502))).toBeNull();
    expect(arrived(order(), goal, at(17.502, 250))).toBeCloseTo(222, 0);
    expect(arrived(order(), goal, at(17.5, 900))).toBeNull();
    expect(arrived(order({ on_scene: 5 }), goal, at(17.5))).toBeNull();
    expect(arrived(order(), goal, null)).toBeNull();
  });
});

describe('where an emergency is', () => {
  const pressed = { lon: -88.2, lat: 17.5 };
  const emergency = { is: 'emergency', id: 1, unit: 7, agency: 1, source: 'radio', raised: 500, said: 400, pressed: 400 } as Emergency; // prettier-ignore
  const seat = (time: number, lat = 17.6) => ({ lon: -88.2, lat, time });

  it('is the newer of the unit’s place and of where its button was pressed', () => {
    const there = { ...pressed, time: 400, pressed: true };
    expect(whereabouts(emergency, pressed, seat(399))).toEqual(there);
    expect(whereabouts(emergency, pressed, null)).toEqual(there);
    expect(whereabouts(emergency, pressed, seat(401))).toEqual({ ...seat(401), pressed: false });
  });

  it('is no newer than the unit’s place where that is all that the button knew', () => {
    expect(whereabouts(emergency, pressed, seat(10, 17.500001))).toMatchObject({
      time: 10,
      pressed: false,
    });
  });

  it('is the unit’s place where it is not shown where the button was pressed, or unknown', () => {
    expect(whereabouts(emergency, null, seat(10))).toMatchObject({ time: 10 });
    expect(whereabouts(emergency, null, undefined)).toBeNull();
  });
});

test('only a point outside Belize is said to be meant, and no place without a point', () => {
  const bridge = { text: 'Bridge', lon: -881_976_000, lat: 174_995_000 };
  expect(meant(bridge)).toEqual(bridge);
  expect(meant({ text: 'Bridge' })).toEqual({ text: 'Bridge' });
  const atSea = { text: '', lon: -870_000_000, lat: 165_000_000 };
  expect(meant(atSea)).toEqual({ ...atSea, anywhere: true });
});
