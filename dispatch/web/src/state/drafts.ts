import type { Shelf } from './storage';

const NAME = 'work-drafts';

/** What was typed under a name and not sent yet; empty when there is nothing. */
export function draftOf(shelf: Shelf | null, name: string): string {
  const drafts = shelf?.get<Record<string, unknown>>(NAME, {}) ?? {};
  const text = drafts[name];
  return typeof text === 'string' ? text : '';
}

/** Keep what is being typed, so that it is there after a reload; empty text forgets it. */
export function keepDraft(shelf: Shelf | null, name: string, text: string): void {
  if (!shelf) return;
  const drafts = { ...shelf.get<Record<string, unknown>>(NAME, {}) };
  if (text === (drafts[name] ?? '')) return;
  if (text) drafts[name] = text;
  else delete drafts[name];
  shelf.set(NAME, drafts);
}
