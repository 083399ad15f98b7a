import { expect, test } from 'vitest';
import { english } from './strings';
import { spanish } from './strings.es';

/** Every sentence with its path; of functions, what they say of example values. */
function* sentences(of: unknown, path = ''): Generator<[string, string]> {
  if (typeof of === 'string') yield [path, of];
  else if (typeof of === 'function') {
    yield [`${path}(2)`, String((of as (...given: unknown[]) => string)(2, 2))];
    yield [`${path}(1)`, String((of as (...given: unknown[]) => string)(1, 1))];
  } else if (typeof of === 'object' && of !== null) {
    for (const [key, value] of Object.entries(of)) yield* sentences(value, `${path}.${key}`);
  }
}

/** What is the same word in both, or a name, or a key. */
const SAME =
  /^\.(calls\.lines\.(911|90|web|radio)|.*(shortcuts|command)\.list\..*|.*\.no\b|details\.decimal|units\.count\(.*)$/i;

const en = new Map(sentences(english));
const es = new Map(sentences(spanish));

test('both languages say the same things', () => {
  expect([...es.keys()]).toEqual([...en.keys()]);
});

test('nothing is left untranslated or empty', () => {
  const left = [...en].filter(([path, text]) => text === es.get(path) && !SAME.test(path));
  expect(left).toEqual([]);
  const empty = [...es].filter(([, text]) => !text.trim());
  expect(empty).toEqual([]);
});

test('people are addressed as usted', () => {
  const familiar = [...es].filter(([, text]) =>
    /\b(tú|tu|tus|ti|contigo|eres|tienes)\b/i.test(text),
  );
  expect(familiar).toEqual([]);
});
