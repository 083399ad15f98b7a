import { describe, expect, it } from 'vitest';
import { byUnit, inTime, wholeTeam, type Choice, type NeedRanked } from './recommended';

const choice = (unit: number, seconds: number): Choice => ({
  unit,
  agency: 1,
  callsign: `P-${unit}`,
  seconds,
  metres: 0,
  diverted: false,
  reason: `because of ${unit}`,
});
const need = (choices: Choice[], team: number[]): NeedRanked => ({
  count: 1,
  kinds: [],
  capabilities: [],
  choices,
  team,
  notes: [],
});

describe('what the server recommends', () => {
  const needs = [
    need([choice(1, 60), choice(2, 90)], [2]),
    need([choice(1, 999), choice(3, 120)], [3]),
  ];

  it('is said of each unit once, by the first need that it fits', () => {
    expect([...byUnit(needs).keys()]).toEqual([1, 2, 3]);
    expect(byUnit(needs).get(1)?.seconds).toBe(60);
  });

  it('suggests a team for all needs', () => {
    expect(wholeTeam(needs)).toEqual([2, 3]);
  });

  it('says times as people do', () => {
    expect([10, 60, 660, 3_600, 3_900].map(inTime)).toEqual([
      '<1 min',
      '1 min',
      '11 min',
      '1 h',
      '1 h 5 min',
    ]);
  });
});
