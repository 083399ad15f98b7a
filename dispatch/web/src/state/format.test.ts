import { expect, test } from 'vitest';
import { shortcut } from '../panels/keys';
import {
  ageText,
  countdown,
  decimalDegrees,
  degreesMinutes,
  headingText,
  kindName,
  speedText,
  startOfToday,
  surplus,
  timeOfDay,
} from './format';
import { match, type Recipient } from './recipients';
import { speak } from '../strings';

test('what is left of an hour', () => {
  expect(countdown(3_600_000)).toBe('60:00');
  expect(countdown(59_001)).toBe('1:00');
  expect(countdown(1)).toBe('0:01');
  expect(countdown(-5)).toBe('0:00');
});

test('coordinates as on a chart', () => {
  expect(degreesMinutes(17.49952, 'N', 'S')).toBe('17° 29.971′ N');
  expect(degreesMinutes(-88.19756, 'E', 'W')).toBe('88° 11.854′ W');
  expect(degreesMinutes(16.999999, 'N', 'S')).toBe('17° 00.000′ N');
  expect(decimalDegrees(17.5, -88.2)).toBe('17.50000, −88.20000');
});

test('speed in the unit of its trade, unknown when it is unknown', () => {
  expect(speedText(10, false)).toBe('36 km/h');
  expect(speedText(10, true)).toBe('19.4 kn');
  expect(speedText(null, true)).toBe('unknown');
  expect(headingText(359.7)).toBe('000° N');
  expect(headingText(46)).toBe('046° NE');
});

test('a day begins at midnight in Belize, six hours after UTC', () => {
  const evening = Date.UTC(2026, 10, 24, 3, 0); // 21:00 on the 23rd in Belize
  expect(startOfToday(evening)).toBe(Date.UTC(2026, 10, 23, 6, 0));
  expect(timeOfDay(evening)).toBe('21:00:00');
});

test('age in one unit', () => {
  expect([4_000, 61_000, 7_200_000, 200_000_000, -500].map(ageText)).toEqual([
    '4 s',
    '1 min',
    '2 h',
    '2 d',
    '0 s',
  ]);
});

test('single keys act outside text fields only', () => {
  const key = (name: string, tagName = 'BODY', ctrlKey = false): string | null =>
    shortcut({
      key: name,
      ctrlKey,
      altKey: false,
      metaKey: false,
      defaultPrevented: false,
      target: { tagName },
    });
  expect(key('/')).toBe('command');
  expect(key('N')).toBe('new');
  expect(key('n', 'TEXTAREA')).toBeNull();
  expect(key('n', 'BODY', true)).toBeNull();
  expect(key('Escape', 'INPUT')).toBe('back');
});

test('recipients whose name begins so come first', () => {
  const all: Recipient[] = ['Alpha North', 'North Alpha', 'South'].map((name, index) => ({
    address: `unit:${index + 1}`,
    name,
    hint: 'Boat',
    online: true,
  }));
  expect(match(all, 'north', 9).map(({ name }) => name)).toEqual(['North Alpha', 'Alpha North']);
  expect(match(all, 'boat south', 9)).toHaveLength(1);
});

test('a kind of incident in the language that is spoken, where it has a name in it', () => {
  const kind = { name: 'Fire', name_es: 'Incendio' };
  expect(kindName(kind)).toBe('Fire');
  speak('es');
  expect(kindName(kind)).toBe('Incendio');
  expect(kindName({ name: 'Fire', name_es: null })).toBe('Fire');
  speak('en');
});

test('a text is too long by characters as a person counts them', () => {
  expect(surplus('🚓🚓🚓', 2)).toBe(1);
  expect(surplus('ab', 2)).toBe(0);
});
