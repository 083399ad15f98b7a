import { afterEach, expect, test } from 'vitest';
import { speakOfAdministration, words } from './words';

afterEach(() => speakOfAdministration('en'));

/** Every sentence with its path; of functions, what they say of example values. */
function* sentences(of: unknown, path = ''): Generator<[string, string]> {
  if (typeof of === 'string') yield [path, of];
  else if (typeof of === 'function') {
    for (const given of ['2', '1']) {
      const said = (of as (...given: unknown[]) => unknown)(given, given, given);
      yield [`${path}(${given})`, String(said)];
    }
  } else if (typeof of === 'object' && of !== null) {
    for (const [key, value] of Object.entries(of)) yield* sentences(value, `${path}.${key}`);
  }
}

/** What is the same word in both. */
const SAME = /^\.(roles\.(supervisor|auditor)\.0|notes\.metres\(\d\))$/;

test('administration says the same things in both languages, and nothing is left or empty', () => {
  const english = new Map(sentences(words));
  speakOfAdministration('es');
  const spanish = new Map(sentences(words));
  expect([...spanish.keys()].sort()).toEqual([...english.keys()].sort());
  const left = [...english].filter(
    ([path, text]) => text === spanish.get(path) && !SAME.test(path),
  );
  expect(left).toEqual([]);
  expect([...spanish].filter(([, text]) => !text.trim())).toEqual([]);
  const familiar = [...spanish].filter(([, text]) =>
    /\b(tú|tu|tus|ti|contigo|eres|tienes)\b/i.test(text),
  );
  expect(familiar).toEqual([]);
});
