import { expect, test } from 'vitest';
import { draftOf, keepDraft } from './drafts';
import { Shelf } from './storage';

function shelf(): Shelf {
  const kept = new Map<string, string>();
  return new Shelf('person:1', {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  });
}

test('what is typed is there again, each under its name, until it is sent', () => {
  const here = shelf();
  keepDraft(here, 'note:1', 'the back door');
  keepDraft(here, 'note:2', 'another');
  expect(draftOf(here, 'note:1')).toBe('the back door');
  keepDraft(here, 'note:1', '');
  expect(draftOf(here, 'note:1')).toBe('');
  expect(draftOf(here, 'note:2')).toBe('another');
});

test('a storage that holds nonsense loses nothing but that', () => {
  const here = shelf();
  here.set('work-drafts', { 'note:1': 7 });
  expect(draftOf(here, 'note:1')).toBe('');
  keepDraft(here, 'note:1', 'x');
  expect(draftOf(here, 'note:1')).toBe('x');
  expect(draftOf(null, 'note:1')).toBe('');
});
