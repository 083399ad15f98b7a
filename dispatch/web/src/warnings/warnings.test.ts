import { describe, expect, it, vi } from 'vitest';
import type { Answer } from '../state/http';
import { Shelf } from '../state/storage';
import type { DeskMessage, InForce } from '../wire/items';
import type { Content, MessageShown, Preview, Template } from './answers';
import { foundIn, refusedIn } from './findings';
import { notesIn } from './notes';
import { notReached, totals } from './report';
import { areaShapes, boundsOf, drawingShapes, warnedShapes } from './shapes';
import { drawn, type LonLat, type Shaping } from './shaping';
import { Composition, type Office } from './composition.svelte';
import {
  areaIn,
  begun,
  calledBy,
  differences,
  filled,
  inLanguage,
  plainly,
  refilled,
  same,
  whole,
  withParts,
} from './drafting';
import { fieldMoment, leftText, momentField, untilText } from './moments';
import { stateOf } from './standing';
import { texts } from './words';

const AT = Date.UTC(2026, 8, 2, 0, 0); // 18:00 on 1 September in Belize
const FLOOD: Template = {
  code: 'flood',
  name: { en: 'Flood', es: 'Inundación' },
  categories: ['Met'],
  urgency: 'Expected',
  severity: 'Severe',
  certainty: 'Likely',
  responses: ['Evacuate'],
  hours: 24,
  texts: [
    {
      language: 'en-BZ',
      event: 'Flood warning',
      headline: '{river} floods {area}',
      description: 'It rises. {details}',
      instruction: 'Go up.',
      short: '{river}: {area}. Until {until}.',
    },
  ],
  blanks: [
    { name: 'river', en: 'River', es: 'Río', optional: false },
    { name: 'details', en: 'Details', es: 'Detalles', optional: true },
  ],
  sources: [],
  doubt: '',
};
const called = (name: string, spanish = name): Record<string, string> => ({
  'es-BZ': `Distrito de ${spanish}`,
  bzj: `${name} Distrik`,
});
const DISTRICTS = [
  { code: 'BZ-BZ', name: 'Belize', called: called('Belize', 'Belice') },
  { code: 'BZ-CY', name: 'Cayo', called: called('Cayo') },
  { code: 'BZ-OW', name: 'Orange Walk', called: called('Orange Walk') },
];

describe('moments', () => {
  it('are those of Belize wherever the browser is', () => {
    expect(momentField(AT)).toBe('2026-09-01T18:00');
    expect(fieldMoment('2026-09-01T18:00')).toBe(AT);
    expect(['', 'soon', '2026-13-01T00:00'].map(fieldMoment)).toEqual([null, null, null]);
  });
  it('are as short as the server writes them', () => {
    expect(untilText(AT, 'en-BZ')).toBe('6:00 pm 1 Sep');
    expect(untilText(AT - 18 * 3_600_000, 'es-BZ')).toBe('12:00 am 1 sep');
  });
  it('count down', () => {
    expect([0, 249_000, 18_244_000, 200 * 3_600_000].map(leftText)).toEqual([
      '00:00',
      '04:09',
      '5:04:04',
      '8 d 8 h',
    ]);
  });
});

describe('words of a template', () => {
  const before = { values: {}, area: '', expires: AT, districts: DISTRICTS };
  const after = { ...before, values: { river: 'Mopan' }, area: 'Cayo District' };
  const [english] = FLOOD.texts;
  it('show what is left to fill in, and nothing of what may be left out', () => {
    const said = filled(FLOOD, english!, before);
    expect(said.headline).toBe('{river} floods {area}');
    expect(said.description).toBe('It rises.');
  });
  it('are filled otherwise where another language has other words', () => {
    const spanish = { ...english!, language: 'es-BZ' };
    const own = { ...after.values, [inLanguage('river', 'es-BZ')]: 'Río Mopán' };
    const said = filled(FLOOD, spanish, { ...after, values: own });
    expect(said.headline).toBe('Río Mopán floods Distrito de Cayo');
    expect(filled(FLOOD, english!, { ...after, values: own }).headline).toBe('Mopan floods Cayo District'); // prettier-ignore
    expect(filled(FLOOD, { ...spanish, language: 'bzj' }, after).headline).toBe('Mopan floods Cayo Distrik'); // prettier-ignore
    expect(areaIn('Belize District, Orange Walk District', 'es-BZ', DISTRICTS)).toBe('Distrito de Belice, Distrito de Orange Walk'); // prettier-ignore
  });
  it('follow what fills them, and never write over what was written by hand', () => {
    const [text] = begun(FLOOD, 'Actual', AT).texts ?? [];
    const typed = { ...text!, instruction: 'Go up now!' };
    const expires = begun(FLOOD, 'Actual', AT).expires ?? null;
    const [said] = refilled(FLOOD, [typed], { ...before, expires }, after);
    expect(said?.headline).toBe('Mopan floods Cayo District');
    expect(said?.short).toBe('Mopan: Cayo District. Until 6:00 pm 1 Sep.');
    expect(said?.instruction).toBe('Go up now!');
  });
});

describe('an area', () => {
  it('is called by what it is made of, until somebody calls it otherwise', () => {
    const cayo = withParts(null, [{ part: 'district', code: 'BZ-CY' }], DISTRICTS, {});
    expect(cayo?.name).toBe('Cayo District');
    expect(withParts(cayo, [], DISTRICTS, {})).toBeNull();
    const own = withParts({ ...cayo!, name: 'The west' }, cayo!.parts, DISTRICTS, {});
    expect(own?.name).toBe('The west');
    const circle = { part: 'circle' as const, at: [1, 2] as [number, number], radius: 5 };
    expect(calledBy([circle], DISTRICTS, { '1,2': 'Teakettle' })).toBe('Teakettle');
  });
  it('is none for the server before it has a name and a shape', () => {
    expect(whole({ status: 'Test', area: { name: 'x', parts: [] } }).area).toBeNull();
    const parts = [{ part: 'district' as const, code: 'BZ-CY' }];
    expect(whole({ status: 'Test', area: { name: ' ', parts } }).area).toBeNull();
  });
  it('is drawn as it goes out', () => {
    const area = {
      name: '',
      polygons: [[[-880_000_000, 170_000_000] as [number, number]]],
      circles: [{ lon: -880_000_000, lat: 170_000_000, radius: 1_113 }],
      km2: 1,
      told: [],
    };
    const bounds = boundsOf(areaShapes(area))!;
    expect(bounds[3] - bounds[1]).toBeCloseTo(0.02, 3);
    expect(boundsOf(areaShapes(null))).toBeNull();
    const border = (points: LonLat[]): Shaping => ({ ...drawn(false), points });
    expect(drawingShapes(border([[1, 2]])).features).toHaveLength(1);
    expect(drawingShapes(border([[1, 2], [2, 3], [3, 1]])).features).toHaveLength(4); // prettier-ignore
  });
});

describe('what became of a message', () => {
  const message = (id: number, more: Partial<DeskMessage>): DeskMessage =>
    ({ id, warning: 1, kind: 'Alert', stage: 'sent', sent: id * 1000, ...more }) as DeskMessage;
  it('follows from what was sent after it, and from the clock', () => {
    const alert = message(1, {});
    const update = message(2, { kind: 'Update' });
    const cancel = message(3, { kind: 'Cancel' });
    const other = message(9, { warning: 2 });
    const all = [alert, update, cancel, other];
    expect(all.map((one) => stateOf(one, all, 99, 5))).toEqual([
      'replaced',
      'cancelled',
      'called_off',
      'in_force',
    ]);
    expect(stateOf(other, all, 5, 5)).toBe('expired');
    const unsent = message(4, { kind: 'Update', stage: 'checked', sent: null });
    expect(stateOf(alert, [alert, unsent], 99, 5)).toBe('in_force');
  });
});

describe('two contents', () => {
  it('are the same when the server would keep the same', () => {
    const content: Content = { status: 'Actual', texts: [{ language: 'bzj', short: 'x' }] };
    expect(same(content, whole(content))).toBe(true);
    const other: Content = { ...content, texts: [{ language: 'bzj', short: 'y' }] };
    expect(differences(content, other)).toEqual([{ where: 'bzj/short', mine: 'x', theirs: 'y' }]);
  });
  it('phrases are compared as the server does', () => {
    expect(plainly('  ACTUAL   Húrricane-warning ')).toBe('actual hurricane warning');
  });
});

const NOTHING: Preview = { shown: [], area: null, findings: [], phrase: '' };

/** A server with one message, which answers as the real one does. */
class Server implements Office {
  digest = 'a';
  content: Content = whole({ status: 'Test' });
  down = false;
  /** The next change is done, but its answer is lost. */
  deaf = false;
  #done = new Map<string, string>();
  #later: (() => void)[] = [];

  async do<T>(_: string, body: unknown, id: string): Promise<Answer<T>> {
    const { seen, content } = body as { seen: string; content: Content };
    if (this.down) return { ok: false, text: '', code: 'unreachable' };
    const before = this.#done.get(id);
    if (before === undefined) {
      if (seen !== this.digest) return { ok: false, text: 'changed', code: 'changed_meanwhile' };
      this.content = content;
      this.digest += 'x';
      this.#done.set(id, this.digest);
    }
    if (this.deaf) {
      this.deaf = false;
      return { ok: false, text: '', code: 'unreachable' };
    }
    return { ok: true, value: { stage: 'draft', digest: before ?? this.digest } as T };
  }
  async read(): Promise<Answer<MessageShown>> {
    return { ok: true, value: this.shown() };
  }
  async preview(): Promise<Answer<Preview>> {
    return { ok: true, value: NOTHING };
  }
  later(_: number, act: () => void): () => void {
    this.#later.push(act);
    return () => (this.#later = this.#later.filter((one) => one !== act));
  }
  /** What was put off is done, as often as there is more. */
  async run(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) {
      for (const act of this.#later.splice(0)) act();
      await vi.waitFor(() => Promise.resolve());
      await new Promise((done) => setTimeout(done));
    }
  }
  shown(): MessageShown {
    return {
      id: 7,
      warning: 1,
      kind: 'Alert',
      stage: 'draft',
      digest: this.digest,
      content: this.content,
      authors: [],
      approved_by: null,
      alone: null,
      sent: null,
      preview: NOTHING,
    };
  }
  /** Somebody else writes. */
  other(note: string): void {
    this.content = { ...this.content, note };
    this.digest += 'o';
  }
}

function shelf(): Shelf {
  const kept = new Map<string, string>();
  return new Shelf('person:1', {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  });
}

describe('a draft', () => {
  it('is saved, also when the answer was lost', async () => {
    const server = new Server();
    const draft = new Composition(server.shown(), server, shelf());
    server.deaf = true;
    draft.write({ note: 'one' });
    draft.write({ note: 'one two' });
    await server.run();
    expect([draft.saving, draft.dirty, server.content.note]).toEqual(['saved', false, 'one two']);
  });
  it('survives a reload while the server is away', async () => {
    const server = new Server();
    const place = shelf();
    const draft = new Composition(server.shown(), server, place);
    server.down = true;
    draft.write({ note: 'typed' });
    await server.run();
    expect(draft.saving).toBe('waiting');
    server.down = false;
    const again = new Composition(server.shown(), server, place);
    expect([again.content.note, again.told]).toEqual(['typed', 'restored']);
    await server.run();
    expect(server.content.note).toBe('typed');
  });
  it('that another has changed is told of, and overwrites nothing', async () => {
    const server = new Server();
    const draft = new Composition(server.shown(), server, shelf());
    server.other('theirs');
    draft.write({ note: 'mine' });
    await server.run();
    expect([draft.saving, draft.content.note, server.content.note]).toEqual([
      'conflict',
      'mine',
      'theirs',
    ]);
    expect(draft.differs).toEqual([{ where: 'note', mine: 'mine', theirs: 'theirs' }]);
    draft.keepMine();
    await server.run();
    expect([draft.saving, server.content.note]).toEqual(['saved', 'mine']);
  });
  it('that another has changed before a reload is told of too', async () => {
    const server = new Server();
    const place = shelf();
    const draft = new Composition(server.shown(), server, place);
    server.down = true;
    draft.write({ note: 'mine' });
    await server.run();
    server.down = false;
    server.other('theirs');
    const again = new Composition(server.shown(), server, place);
    expect([again.saving, again.content.note]).toEqual(['conflict', 'mine']);
    again.takeTheirs();
    expect([again.saving, again.content.note, again.dirty]).toEqual(['saved', 'theirs', false]);
  });
  it('in which nothing is typed shows what another writes', async () => {
    const server = new Server();
    const draft = new Composition(server.shown(), server, shelf());
    server.other('theirs');
    await draft.heard('draft', server.digest);
    expect([draft.content.note, draft.told]).toEqual(['theirs', 'taken']);
  });
});

/** Every sentence with its path; of functions, what they say of example values. */
function* sentences(of: unknown, path = ''): Generator<[string, string]> {
  if (typeof of === 'string') yield [path, of];
  else if (typeof of === 'function') {
    for (const given of [2, 1]) {
      yield [`${path}(${given})`, String((of as (...all: unknown[]) => string)(given, given))];
    }
  } else if (typeof of === 'object' && of !== null) {
    for (const [key, value] of Object.entries(of)) yield* sentences(value, `${path}.${key}`);
  }
}

it('the page says the same things in both languages, and nothing is left or empty', () => {
  const english = new Map(sentences(texts.en));
  const spanish = new Map(sentences(texts.es));
  expect([...spanish.keys()]).toEqual([...english.keys()]);
  expect([...english].filter(([path, text]) => text === spanish.get(path))).toEqual([]);
  expect([...spanish].filter(([, text]) => !text.trim())).toEqual([]);
});

it('a report adds up, and what was not reached is every way of not being so', () => {
  const line = { ...totals([]), channel: 'sms', district: 'BZ-CY', total: 9, failed: 1, cost: 0.5 };
  const sum = totals([line, { ...line, uncertain: 2, dropped: 1, missed: 3 }]);
  expect([sum.total, sum.failed, sum.cost]).toEqual([18, 2, 1]);
  expect(notReached(sum)).toBe(8);
});

it('a finding is told in the language of the page, and in English when it has none', () => {
  const finding = {
    path: '/text[bzj]/sms',
    code: 'warning.too_long',
    text: 'In Kriol it takes 7 parts.',
    todo: 'Shorten it.',
    error: true,
  };
  expect(foundIn('en', finding)).toBe('In Kriol it takes 7 parts. Shorten it.');
  expect(foundIn('es', finding)).toContain('En kriol no cabe por SMS.');
  expect(foundIn('es', { ...finding, code: 'cap.uri' })).toContain('In Kriol');
  expect(refusedIn('es', { code: 'area.crosses', text: 'x' })).toContain('se cruza');
});

it('what was changed of a file is said in the language of the page, with its figures', () => {
  const figures = { points: 10_001, kept: 97, metres: 1_240.5 };
  const note = { code: 'note.polygon_simplified', text: 'It had 10,001 points.', figures };
  const found = { parts: [], told: [note.text], name: '', notes: [note] };
  expect(notesIn('en', found)).toEqual([note.text]);
  expect(notesIn('es', found)[0]).toContain('tenía 10.001 puntos y ahora tiene 97; llega hasta');
  expect(notesIn('es', { ...found, notes: [{ ...note, code: 'note.new' }] })).toEqual(found.told);
});

it('where a border crosses itself is said in Spanish too', () => {
  const crosses = 'The border crosses itself near longitude -88.2, latitude 17.5.';
  expect(refusedIn('es', { code: 'area.crosses', text: crosses })).toContain('longitud -88.2,');
});

it('the console draws where people are warned, each by its status', () => {
  const ring = [[0, 0], [1e7, 0], [0, 1e7]]; // prettier-ignore
  const one = { status: 'Exercise', polygons: [ring], circles: [{ lon: 0, lat: 0, radius: 9 }] };
  const { features } = warnedShapes([one, one] as unknown as InForce[]);
  expect(features.map(({ properties }) => properties)).toEqual(
    Array(4).fill({ status: 'Exercise' }),
  );
});
