import { expect, test } from 'vitest';
import { shortcut } from './keys';

const at = (key: string, tagName: string, more = {}) =>
  shortcut({
    key,
    ctrlKey: false,
    altKey: false,
    metaKey: false,
    defaultPrevented: false,
    target: { tagName },
    ...more,
  });

test('a call is taken from inside a text too; letters are letters there', () => {
  expect(at('F2', 'TEXTAREA')).toBe('call');
  expect(at('F4', 'INPUT')).toBe('next_call');
  expect(at('/', 'INPUT')).toBeNull();
  expect(at(';', 'BODY')).toBe('command');
  expect(at('/', 'BODY')).toBe('command');
  expect(at('F2', 'BODY', { ctrlKey: true })).toBeNull();
  expect(at('F2', 'BODY', { defaultPrevented: true })).toBeNull();
});
