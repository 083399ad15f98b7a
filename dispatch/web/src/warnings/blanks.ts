import { FIELDS, LANGUAGES, type Template, type Text } from './answers';
import { areaIn, inLanguage, type Filling } from './drafting';
import { untilText } from './moments';

/** Longer words were written by hand, and are not searched. */
const MOST = 1_000;

/**
 * What the blanks of a template were filled with, read from its words: of an Update, or of what was
 * begun in another browser. Words that were written by hand since say nothing.
 */
export function filledWith(
  template: Template,
  texts: readonly Text[],
  filling: Omit<Filling, 'values'>,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const language of LANGUAGES) {
    const text = texts.find((one) => one.language === language);
    const own = template.texts.find((one) => one.language === language);
    for (const field of FIELDS) {
      const given = within(own?.[field] ?? '', language, filling);
      for (const [name, value] of Object.entries(read(given, text?.[field] ?? ''))) {
        const key = language === 'en-BZ' ? name : inLanguage(name, language);
        if (value !== found[name]) found[key] ??= value;
      }
    }
  }
  return found;
}

/** The words with area and end, which are filled in by themselves. */
function within(words: string, language: string, filling: Omit<Filling, 'values'>): string {
  const { area, expires, districts } = filling;
  const there = area ? words.replaceAll('{area}', areaIn(area, language, districts)) : words;
  return expires === null ? there : there.replaceAll('{until}', untilText(expires, language));
}

/** What stands where a blank was; nothing where it still is one, or is left empty. */
function read(words: string, said: string): Record<string, string> {
  if (said.length > MOST) return {};
  const seen = new Set<string>();
  const pattern = words.split(/\{([a-z_]+)\}/).map((part, at) => {
    if (at % 2 === 0) return part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replace(/\s+/g, '\\s*');
    if (seen.has(part)) return `\\k<${part}>`;
    seen.add(part);
    return `(?<${part}>.*?)`;
  });
  const groups = new RegExp(`^${pattern.join('')}$`, 's').exec(said)?.groups ?? {};
  return Object.fromEntries(
    Object.entries(groups)
      .map(([name, value]) => [name, value.trim()] as const)
      .filter(([, value]) => value && !/^\{[a-z_]+\}$/.test(value)),
  );
}
