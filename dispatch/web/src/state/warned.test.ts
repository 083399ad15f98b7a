import { describe, expect, it } from 'vitest';
import type { ClientFrame } from '../wire/frames';
import type { InForce } from '../wire/items';
import { Warned, byGravity, wordsIn } from './warned.svelte';

const one = (id: number, change: Partial<InForce> = {}): InForce => ({
  is: 'warning',
  id,
  warning: id,
  agency: 6,
  identifier: `w-${id}`,
  kind: 'Alert',
  status: 'Actual',
  state: 'in_force',
  event: 'Flood',
  urgency: 'Immediate',
  severity: 'Severe',
  certainty: 'Likely',
  sender: 'NEMO',
  note: '',
  texts: [
    { language: 'en-BZ', event: 'Flood', headline: 'Flood', description: '', instruction: '' },
    { language: 'es-BZ', event: 'Crecida', headline: 'Crecida', description: '', instruction: '' },
  ],
  area: 'Belize River',
  polygons: [],
  circles: [],
  sent: id,
  onset: null,
  ends: 10_000,
  ended: null,
  why: '',
  loud: true,
  ...change,
});

function warned(read: string[] = [], items: InForce[] = []) {
  const sent: ClientFrame[] = [];
  const kept: string[][] = [];
  const stored: number[][] = [];
  let n = 0;
  const clock = { now: 1_000 };
  const line = {
    send: (frame: ClientFrame) => (sent.push(frame), true),
    next: () => (n += 1),
    live: () => true,
    now: () => clock.now,
  };
  const here = new Warned(
    line,
    { load: () => [], save: () => true },
    {
      load: () => read,
      save: (all) => kept.push([...all]),
      items: { load: () => items, save: (all) => stored.push(all.map(({ id }) => id)) },
    },
    line.now,
  );
  const news = (...set: InForce[]): void =>
    here.take({ t: 'news', topic: 'warnings', whole: true, set });
  return { here, sent, kept, stored, clock, news };
}
const ids = (all: readonly InForce[]): number[] => all.map(({ id }) => id);

describe('warnings at a screen', () => {
  it('are to be read, gravest first, and are loud until they were', () => {
    const { here, sent, kept, news } = warned();
    news(one(1, { status: 'Exercise', severity: 'Extreme' }), one(2), one(3, { loud: false }));
    expect(ids(here.unread)).toEqual([3, 2, 1]);
    expect(here.loud).toBe(true);
    for (const each of [...here.unread]) here.confirm(each);
    expect([ids(here.unread), ids(here.read), here.loud]).toEqual([[], [3, 2, 1], false]);
    expect(kept.at(-1)).toEqual(['3 in_force', '2 in_force', '1 in_force']);
    const told = sent.filter(({ t }) => t === 'do');
    expect(told.map((frame) => 'with' in frame && frame.with)).toEqual([
      { message: 3 },
      { message: 2 },
      { message: 1 },
    ]);
  });

  it('are told anew when they are cancelled, which is confirmed here alone', () => {
    const { here, sent, kept, news } = warned(['1 in_force', '9 in_force']);
    news(one(1));
    expect(ids(here.unread)).toEqual([]);
    news(one(1, { state: 'cancelled', ended: 900, why: 'The river falls.' }));
    expect([ids(here.unread), here.loud]).toEqual([[1], false]);
    for (const each of [...here.unread]) here.confirm(each);
    expect([ids(here.unread), ids(here.read)]).toEqual([[], []]);
    expect(sent.filter(({ t }) => t === 'do')).toEqual([]);
    // What is not shown any more is not remembered for ever.
    expect(kept).toEqual([['1 in_force', '1 cancelled']]);
  });

  it('are there after a restart without a line, and are over by the clock', () => {
    const { here, clock, stored, news } = warned([], [one(4)]);
    expect(ids(here.unread)).toEqual([4]);
    clock.now = 10_000;
    const later = warned([], [one(4, { ends: 900 })]);
    expect(ids(later.here.unread)).toEqual([]);
    news(one(5));
    expect(stored).toEqual([[5]]);
  });

  it('speak whose language they have', () => {
    expect(wordsIn(one(1), 'es')?.headline).toBe('Crecida');
    expect(wordsIn(one(1), 'bzj')?.headline).toBe('Flood');
    expect([one(1, { status: 'Test' }), one(2, { severity: 'Minor' })].sort(byGravity)[0]?.id).toBe(
      2,
    );
  });
});
