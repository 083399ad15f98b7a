import { expect, test } from 'vitest';
import { chosenBy, windowKind, windowName } from './windows';

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
  const pointed = { lon: -88, lat: 17 };
  expect(chosenBy({ me, pointing: false, pointed }, me)).toEqual({ pointing: false, pointed });
  const view = { lon: -88, lat: 17, zoom: 9 };
  expect(chosenBy({ me, view }, me)).toEqual({ view });
  expect(chosenBy({ me, write: ['unit:7'] }, me)).toEqual({ write: ['unit:7'] });
  expect(chosenBy({ me, read: ['x'] }, me)).toEqual({ read: ['x'] });
  const silenced = { messages: ['x'], emergencies: [[3, 2]] };
  expect(chosenBy({ me, silenced }, me)).toEqual({ silenced });
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
    { me, view: { lon: -88, lat: 17 } },
    { me, pointing: 1, pointed: { lon: '1', lat: 1 } },
    { me, write: [7] },
    { me, read: 'x' },
    { me, silenced: { messages: ['x'] } },
    { me, silenced: { messages: [], emergencies: [[1]] } },
    { me, work: { what: 'sleep', key: 'k' } },
    { me, work: { what: 'take' } },
  ])
    expect(chosenBy(bad, me)).toBeNull();
});

test('a window keeps its name over a reload, and one that is opened from it has another', () => {
  const lies = new Map<string, string>();
  const storage = {
    getItem: (key: string) => lies.get(key) ?? null,
    setItem: (key: string, value: string) => void lies.set(key, value),
    removeItem: (key: string) => void lies.delete(key),
  };
  let count = 0;
  const fresh = (): string => `w${(count += 1)}`;
  const page = new EventTarget();
  expect(windowName(storage, page, fresh)).toBe('w1');
  // What is copied into a window that is opened now has no name in it.
  expect(windowName(storage, new EventTarget(), fresh)).toBe('w2');
  page.dispatchEvent(new Event('pagehide'));
  expect(windowName(storage, new EventTarget(), fresh)).toBe('w1');
  const forbidden = (): never => {
    throw new Error('SecurityError');
  };
  const none = { getItem: forbidden, setItem: forbidden, removeItem: forbidden };
  expect(windowName(none, new EventTarget(), fresh)).toBe('w3');
});
