import { describe, expect, it } from 'vitest';
import type { Part, Point } from './answers';
import { drawingShapes } from './shapes';
import {
  added,
  between,
  crosses,
  drawn,
  moved,
  removed,
  reshaped,
  ringOf,
  spare,
  stepped,
} from './shaping';

const RING: Point[] = [
  [-880_000_000, 170_000_000],
  [-870_000_000, 170_000_000],
  [-870_000_000, 180_000_000],
  [-880_000_000, 170_000_000],
];
const PART: Part = { part: 'polygon', points: RING };
const border = reshaped(PART, RING);

describe('a border that is there', () => {
  it('has each corner once, and goes back as it came', () => {
    expect(border.points).toHaveLength(3);
    expect(ringOf(border)).toEqual(RING.slice(0, 3));
  });
  it('has a point between every two corners, where one is added', () => {
    expect(between(border)).toEqual([
      [-87.5, 17],
      [-87, 17.5],
      [-87.5, 17.5],
    ]);
    const more = added(border, 2, [-87.5, 17.6]);
    expect(more.points[3]).toEqual([-87.5, 17.6]);
    expect(more.chosen).toBe(3);
  });
  it('is changed without touching what was there', () => {
    expect(moved(border, 1, [-87, 16]).points[1]).toEqual([-87, 16]);
    expect(border.points[1]).toEqual([-87, 17]);
  });
  it('keeps three corners', () => {
    expect(removed(border)).toBe(border);
    const more = added(border, 0, [-87.5, 16.9]);
    expect(spare(more)).toBe(true);
    expect(removed(more).points).toEqual(border.points);
    expect(spare({ ...more, chosen: null })).toBe(false);
  });
  it('is gone around by its corners', () => {
    expect(stepped(border, 1).chosen).toBe(1);
    expect(stepped(border, -1).chosen).toBe(2);
    expect(stepped({ ...border, chosen: null }, 1).chosen).toBe(0);
    expect(stepped({ ...border, chosen: null }, -1).chosen).toBe(2);
  });
  it('shows its corners, the chosen one, and where one can be added', () => {
    const kinds = drawingShapes(border).features.map(({ properties }) => properties?.['kind']);
    expect(kinds.filter((kind) => kind === 'between')).toHaveLength(3);
    expect(kinds.filter((kind) => kind === 'chosen')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'corner')).toHaveLength(2);
  });
});

describe('a border', () => {
  const closed = (...points: [number, number][]) => crosses({ ...border, points });
  it('that crosses or touches itself is no border', () => {
    expect(closed([0, 0], [1, 0], [1, 1])).toBe(false);
    expect(closed([0, 0], [1, 0], [1, 1], [0, 1])).toBe(false);
    expect(closed([0, 0], [1, 1], [1, 0], [0, 1])).toBe(true);
    expect(closed([0, 0], [4, 0], [4, 4], [2, 0], [0, 4])).toBe(true);
    expect(crosses({ ...border, line: true, points: [[0, 0], [1, 1], [1, 0], [0, 1]] })).toBe(false); // prettier-ignore
  });
});

describe('a new one', () => {
  it('is set corner by corner, and taken back', () => {
    const one = added(drawn(false), -1, [-88, 17]);
    const two = added(one, 0, [-87, 17]);
    expect(two.points).toHaveLength(2);
    expect(between(two)).toEqual([]);
    const back = removed(removed(two));
    expect(back.points).toEqual([]);
    expect(removed(back)).toBe(back);
    expect(stepped(back, 1)).toBe(back);
  });
});
