import { describe, expect, it } from 'vitest';
import type { Template, Text } from './answers';
import { filledWith } from './blanks';
import { filled, inLanguage, refilled } from './drafting';

const words = (language: string): Text => ({
  language,
  event: 'Flood warning',
  headline: 'Flood warning (now) for {area}: {river}',
  description: 'The {river} is rising in {area}. {details}',
  instruction: 'Go up.',
  short: '{river}, {area}: go up. The {river} rises. Until {until}.',
});
const FLOOD: Template = {
  code: 'flood',
  name: { en: 'Flood', es: 'Inundación' },
  categories: ['Met'],
  urgency: 'Expected',
  severity: 'Severe',
  certainty: 'Likely',
  responses: ['Evacuate'],
  hours: 24,
  texts: [words('en-BZ'), words('es-BZ'), words('bzj')],
  blanks: [
    { name: 'river', en: 'River', es: 'Río', optional: false },
    { name: 'details', en: 'Details', es: 'Detalles', optional: true },
  ],
  sources: [],
  doubt: '',
};
const given = {
  area: 'Cayo District',
  expires: Date.UTC(2026, 8, 2, 0, 0),
  districts: [
    { code: 'BZ-CY', name: 'Cayo', called: { 'es-BZ': 'Distrito de Cayo', bzj: 'Cayo Distrik' } },
  ],
};
const said = (values: Record<string, string>): Text[] =>
  FLOOD.texts.map((text) => filled(FLOOD, text, { ...given, values }));

describe('what blanks were filled with', () => {
  it('is read from the words, in each language', () => {
    const values = {
      river: 'Belize River (upper)',
      details: 'The ferry is closed. Levels: 3 m.',
      [inLanguage('river', 'es-BZ')]: 'Río Belice',
    };
    expect(filledWith(FLOOD, said(values), given)).toEqual(values);
  });
  it('is nothing where a blank is still one, or is left empty', () => {
    expect(filledWith(FLOOD, said({}), given)).toEqual({});
    expect(filledWith(FLOOD, said({ river: 'Mopan' }), given)).toEqual({ river: 'Mopan' });
    const none = { ...given, area: '', expires: null };
    const begun = FLOOD.texts.map((text) => filled(FLOOD, text, { ...none, values: {} }));
    expect(filledWith(FLOOD, begun, none)).toEqual({});
  });
  it('is read from what nobody wrote by hand, and is nothing when all of it is', () => {
    const [english, ...rest] = said({ river: 'Mopan' });
    const own = { ...english!, headline: 'Run!', description: 'x'.repeat(8_000) };
    expect(filledWith(FLOOD, [own, ...rest], given)).toEqual({ river: 'Mopan' });
    const all = [{ ...own, short: '' }];
    expect(filledWith(FLOOD, all, given)).toEqual({});
  });
  it('lets an Update follow another area', () => {
    const texts = said({ river: 'Mopan' });
    const before = { ...given, values: filledWith(FLOOD, texts, given) };
    const changed = refilled(FLOOD, texts, before, { ...before, area: 'The whole country' });
    expect(changed[1]?.headline).toBe('Flood warning (now) for The whole country: Mopan');
  });
});
