import { expect, test } from 'vitest';
import { withoutControls } from './bidi';
import { Drafts } from './drafts.svelte';

test('invisible controls are taken out of what is written, wherever it stands', () => {
  expect(withoutControls('Plate \u202e12345\u202c')).toBe('Plate 12345');
  expect(withoutControls({ text: '\u2066a\u2069', to: ['unit:\u202d1'], at: 5, by: null })).toEqual(
    { text: 'a', to: ['unit:1'], at: 5, by: null },
  );
});

test('scripts that run from the right stay as they are', () => {
  for (const text of ['שלום', 'مرحبا', 'Peña\u200f', 'a\u200db']) {
    expect(withoutControls(text)).toBe(text);
  }
});

test('what is typed in a form holds none from the first key', () => {
  const draft = new Drafts(null).of('note:1', { text: '' });
  draft.typed.text = 'seen \u202egoing north';
  expect(draft.typed.text).toBe('seen going north');
});
