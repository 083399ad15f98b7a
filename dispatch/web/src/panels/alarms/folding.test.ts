import { expect, test } from 'vitest';
import type { Emergency } from '../../wire/items';
import { byNeed, mayLeave, pressedAgain, whole } from './folding';

const raised = (id: number, more: Partial<Emergency> = {}): Emergency => ({
  is: 'emergency',
  id,
  unit: id,
  agency: 1,
  source: 'tablet',
  raised: id * 1000,
  said: id * 1000,
  pressed: id * 1000,
  ...more,
});
const mine = raised(1, { owner: 7 });
const nobodys = raised(2);
const ended = raised(3, { owner: 7, desk_safe: 4000 });
const later = raised(4);

test('what nobody has is first and has a banner; the others are named until they are unfolded', () => {
  const all = [ended, mine, later, nobodys].sort(byNeed);
  expect(all).toEqual([nobodys, later, mine, ended]);
  expect(whole(all, false, () => false)).toEqual([nobodys]);
  expect(whole(all, true, () => false)).toEqual(all);
});

test('one that somebody is about keeps its banner when a graver one comes', () => {
  const all = [mine, nobodys].sort(byNeed);
  expect(whole(all, false, ({ id }) => id === mine.id)).toEqual([nobodys, mine]);
});

test('only what the desk has ended may be put aside, never what nobody has', () => {
  expect([mine, nobodys, ended, later].filter(mayLeave)).toEqual([ended]);
  expect(mayLeave(raised(5, { desk_safe: 6000 }))).toBe(false);
});

test('one that was pressed again has a banner until somebody has looked at it', () => {
  const again = raised(1, { owner: 7, presses: 2 });
  const all = [again, nobodys, ended].sort(byNeed);
  const shown = (looked: [number, number][]): Emergency[] =>
    whole(all, false, (each) => pressedAgain(each, new Map(looked)));
  expect(shown([])).toEqual([nobodys, again]);
  expect(shown([[1, 1]])).toEqual([nobodys, again]);
  expect(shown([[1, 2]])).toEqual([nobodys]);
  expect(pressedAgain({ ...again, presses: 3 }, new Map([[1, 2]]))).toBe(true);
  expect(pressedAgain(mine, new Map())).toBe(false);
});
