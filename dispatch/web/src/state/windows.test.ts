import { expect, test } from 'vitest';
import { chosenBy, windowKind } from './windows';

test('an address says what a window is for; anything else is the whole console', () => {
  expect(windowKind('?window=map')).toBe('map');
  expect(windowKind('?window=work')).toBe('work');
  expect(['', '?window=', '?window=MAP', '?x=1'].map(windowKind)).toEqual(
    Array<string>(4).fill('whole'),
  );
});

test('only the same person’s other window is followed, and only what can be meant', () => {
  const me = 'person:3';
  expect(chosenBy({ me, unit: 7 }, me)).toEqual({ unit: 7 });
  expect(chosenBy({ me, unit: null, incident: 4 }, me)).toEqual({ unit: null, incident: 4 });
  expect(chosenBy({ me, place: { lon: -88, lat: 17 } }, me)).toEqual({
    place: { lon: -88, lat: 17 },
  });
  expect(chosenBy({ me, write: ['unit:7'] }, me)).toEqual({ write: ['unit:7'] });
  const work = { what: 'take', key: 'k' };
  expect(chosenBy({ me, work, works: 'k' }, me)).toEqual({ work, works: 'k' });
  expect(chosenBy({ me: 'person:4', unit: 7 }, me)).toBeNull();
  expect(chosenBy({ me: null, unit: 7 }, null)).toBeNull();
  for (const bad of [
    null,
    7,
    'x',
    { me },
    { me, unit: '7' },
    { me, unit: 1.5 },
    { me, place: 3 },
    { me, write: [7] },
    { me, work: { what: 'sleep', key: 'k' } },
    { me, work: { what: 'take' } },
  ])
    expect(chosenBy(bad, me)).toBeNull();
});
