import { expect, test } from 'vitest';
import { refusalWords, told } from './refusals';

test('a refusal is told in the language of the page, also of a code that it does not know', () => {
  expect(told({ code: 'queue_full' }, refusalWords.es).todo).toContain('Pida de nuevo');
  expect(told({ code: 'new_one' }, refusalWords.es).text).toContain('rechazado (new_one)');
  expect(told({ code: 'new_one' }, refusalWords.en).text).toContain('refused');
});
