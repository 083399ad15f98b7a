import type { Language } from '../strings';
import { spanishNotes } from './notes.es';

/** What was changed of an area, or left out of a file, in the language of the page. */
export function noteIn(language: Language, note: string): string {
  const own = language === 'es' ? spanishNotes.find(([english]) => english.test(note)) : undefined;
  if (!own) return note;
  const [english, spanish] = own;
  // 10,001 is 10.001 in Spanish, and 6.5 is 6,5.
  const figures = (english.exec(note) ?? []).map((said) =>
    Number(said.replaceAll(',', '')).toLocaleString('es'),
  );
  return spanish.replace(/\$(\d)/g, (_, at: string) => figures[Number(at)] ?? '');
}
