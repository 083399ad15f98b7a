import type { Language } from '../strings';
import type { FileArea, FileNote } from './answers';
import { spanishNotes } from './notes.es';

/** What was changed of a file's area, or left out of it, in the language of the page. */
export const notesIn = (language: Language, { notes, told }: FileArea): string[] =>
  notes?.map((note) => noteIn(language, note)) ?? told;

function noteIn(language: Language, { code, text, figures }: FileNote): string {
  const own = language === 'es' ? spanishNotes[code] : undefined;
  if (!own) return text;
  return own.replace(/\{(\w+)\}/g, (_, name: string) => (figures[name] ?? 0).toLocaleString('es'));
}
