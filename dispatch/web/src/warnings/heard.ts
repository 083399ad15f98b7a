import type { Language } from '../strings';
import type { Advice } from './answers';

type Said = Advice['texts'][number];
const NOTHING: Said = { language: '', event: '', headline: '', description: '', instruction: '' };

/** An alert's words in the language of the page; in English, or whatever there is, without them. */
export function wordsFor({ texts }: Advice, language: Language): Said {
  const of = (wanted: string): Said | undefined =>
    texts.find((text) => text.language.toLowerCase().split('-')[0] === wanted);
  const found = of(language) ?? of('en') ?? texts[0] ?? NOTHING;
  return { ...found, headline: found.headline || found.event };
}
