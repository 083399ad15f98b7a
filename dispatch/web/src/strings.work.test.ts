import { afterEach, expect, test } from 'vitest';
import { speakOfWork, work } from './strings.work';

afterEach(() => speakOfWork('en'));

test('every sentence about the work is there in Spanish too, and is another one', () => {
  const english = flat(work);
  speakOfWork('es');
  const spanish = flat(work);
  expect(Object.keys(spanish)).toEqual(Object.keys(english));
  const same = Object.keys(english).filter((key) => english[key] === spanish[key]);
  expect(same).toEqual(['windows.titles.whole', 'alarms.supervisor']);
});

/** All plain sentences, by where they stand. */
function flat(words: object, at = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(words).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'string'
        ? [[at + key, value]]
        : typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.entries(flat(value, `${at}${key}.`))
          : [],
    ),
  );
}
