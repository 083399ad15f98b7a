import {
  CHANNELS,
  FIELDS,
  LANGUAGES,
  type Area,
  type Content,
  type District,
  type Part,
  type Status,
  type Template,
  type Text,
} from './answers';
import { untilText } from './moments';

/**
 * What fills the blanks of a template: what was typed, the area's name, and the end. What was typed
 * for one language alone stands under `inLanguage` of its name.
 */
export interface Filling {
  values: Readonly<Record<string, string>>;
  area: string;
  expires: number | null;
  /** What they are called in each language. */
  districts: readonly District[];
}

/** The languages in which a blank may be filled otherwise than in English. */
export const OTHER_LANGUAGES = LANGUAGES.filter((language) => language !== 'en-BZ');

export const inLanguage = (blank: string, language: string): string => `${blank}@${language}`;

/** What an area is called in a language: districts are called as the server says. */
export function areaIn(name: string, language: string, districts: readonly District[]): string {
  return districts.reduce((said, { name: own, called }) => {
    const other = called[language];
    return other ? said.replace(new RegExp(`\\b${own} District\\b`, 'g'), other) : said;
  }, name);
}

const BLANK = /\{([a-z_]+)\}/g;

/**
 * The words of a template in one language. A blank that has no value stays to be seen, unless it
 * may be left empty.
 */
export function filled(template: Template, text: Text, filling: Filling): Text {
  const known: Record<string, string> = {};
  for (const { name, optional } of template.blanks) {
    const own = filling.values[inLanguage(name, text.language)]?.trim();
    const value = (own || filling.values[name]?.trim()) ?? '';
    if (value || optional) known[name] = value;
  }
  if (filling.area) known['area'] = areaIn(filling.area, text.language, filling.districts);
  if (filling.expires !== null) known['until'] = untilText(filling.expires, text.language);
  const fill = (words: string): string =>
    words
      .replace(BLANK, (blank, name: string) => known[name] ?? blank)
      .split(/\s+/)
      .filter(Boolean)
      .join(' ');
  const found: Text = { language: text.language };
  for (const field of FIELDS) found[field] = fill(text[field] ?? '');
  return found;
}

/**
 * The texts when what fills the blanks has changed. What somebody has written by hand stays as he
 * wrote it.
 */
export function refilled(
  template: Template,
  texts: readonly Text[],
  before: Filling,
  after: Filling,
): Text[] {
  return texts.map((text) => {
    const own = template.texts.find(({ language }) => language === text.language);
    if (!own) return text;
    const was = filled(template, own, before);
    const is = filled(template, own, after);
    const changed: Text = { ...text };
    for (const field of FIELDS) {
      if ((text[field] ?? '') === was[field]) changed[field] = is[field] ?? '';
    }
    return changed;
  });
}

/** A draft of a kind; without a template there are no words yet. */
export function begun(template: Template | null, status: Status, now: number): Content {
  if (!template) return { status, texts: LANGUAGES.map((language) => ({ language })) };
  const hour = 3_600_000;
  const expires = Math.ceil((now + template.hours * hour) / hour) * hour;
  const filling = { values: {}, area: '', expires, districts: [] };
  return {
    status,
    event: template.code,
    categories: template.categories,
    urgency: template.urgency,
    severity: template.severity,
    certainty: template.certainty,
    responses: template.responses,
    texts: template.texts.map((text) => filled(template, text, filling)),
    expires,
  };
}

/** What an area is called until somebody calls it otherwise; `places`: names of its circles. */
export function calledBy(
  parts: readonly Part[],
  districts: readonly District[],
  places: Readonly<Record<string, string>>,
): string {
  const names = parts.flatMap((part) => {
    if (part.part === 'district') {
      const found = districts.find(({ code }) => code === part.code);
      return found ? [`${found.name} District`] : [];
    }
    return part.part === 'circle' ? [places[part.at.join()] ?? ''] : [];
  });
  return [...new Set(names.filter(Boolean))].join(', ');
}

/** The area with other parts; its name goes with them while nobody has written one. */
export function withParts(
  area: Area | null | undefined,
  parts: Part[],
  districts: readonly District[],
  places: Readonly<Record<string, string>>,
): Area | null {
  const name = area?.name ?? '';
  const own = name !== '' && name !== calledBy(area?.parts ?? [], districts, places);
  if (parts.length === 0 && !own) return null;
  return { name: own ? name : calledBy(parts, districts, places), parts };
}

/**
 * As the server keeps it: with every value that may be left out, and channels in their order. An
 * area that has no shape or no name yet is none; it stays in the browser until it has both.
 */
export function whole(content: Content): Required<Content> {
  return {
    status: content.status,
    event: content.event ?? '',
    categories: content.categories ?? [],
    urgency: content.urgency ?? 'Unknown',
    severity: content.severity ?? 'Unknown',
    certainty: content.certainty ?? 'Unknown',
    responses: content.responses ?? [],
    texts: (content.texts ?? []).map((text) => ({
      language: text.language,
      event: text.event ?? '',
      headline: text.headline ?? '',
      description: text.description ?? '',
      instruction: text.instruction ?? '',
      short: text.short ?? '',
    })),
    area:
      content.area?.name.trim() && content.area.parts.length > 0
        ? { name: content.area.name, parts: content.area.parts }
        : null,
    channels: CHANNELS.filter((channel) => (content.channels ?? CHANNELS).includes(channel)),
    onset: content.onset ?? null,
    expires: content.expires ?? null,
    send_at: content.send_at ?? null,
    note: content.note ?? '',
    web: content.web ?? '',
    plain_letters: content.plain_letters ?? false,
  };
}

/** Whether two say the same. */
export const same = (one: Content, other: Content): boolean =>
  JSON.stringify(sorted(whole(one))) === JSON.stringify(sorted(whole(other)));

/** Keys in one order: the server's and the page's need not be the same. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

/** Where two contents differ. */
export interface Difference {
  /** `status`, `area`, `es-BZ/headline`. */
  where: string;
  mine: string;
  theirs: string;
}

/** Everything in which somebody's words are not another's. */
export function differences(mine: Content, theirs: Content): Difference[] {
  const one = flat(mine);
  const other = flat(theirs);
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((where) => {
    const [a, b] = [one.get(where) ?? '', other.get(where) ?? ''];
    return a === b ? [] : [{ where, mine: a, theirs: b }];
  });
}

function flat(content: Content): Map<string, string> {
  const { texts, area, ...rest } = whole(content);
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(rest)) {
    found.set(name, Array.isArray(value) ? value.join(', ') : String(value ?? ''));
  }
  found.set('area', area?.name ?? '');
  found.set('parts', area ? JSON.stringify(sorted(area.parts)) : '');
  for (const text of texts) {
    for (const field of FIELDS) found.set(`${text.language}/${field}`, text[field] ?? '');
  }
  return found;
}

/** Letters and digits without accents or capitals, as the server compares what is typed to approve. */
export const plainly = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
