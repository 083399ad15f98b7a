import { describe, expect, it, vi } from 'vitest';
import type { ClientFrame } from '../wire/frames';
import type { Action } from './actions';
import { Board, type Answered } from './board.svelte';
import { SENT_BY_ITSELF, tooOldToDo } from './held';

function desk(kept: Action[] = [], now = 1_000) {
  const sent: ClientFrame[] = [];
  const line = { up: true, now };
  let saved: readonly Action[] = kept;
  const board = new Board(
    'board',
    { load: () => [...saved], save: (actions) => ((saved = [...actions]), true) },
    {
      send: (frame) => line.up && sent.push(frame) > 0,
      next: () => 7,
      live: () => line.up,
      now: () => line.now,
    },
    tooOldToDo,
  );
  return { board, sent, line, saved: () => saved };
}

const alarm = (id: number, level = 1) =>
  ({
    is: 'alarm',
    id,
    agency: 1,
    kind: 'reminder',
    about: 'reminder:1',
    raised: 1,
    level,
  }) as const;

describe('the board', () => {
  it('has what came newest, and forgets what is gone', () => {
    const { board } = desk();
    board.take({ t: 'news', topic: 'board', set: [alarm(1), alarm(2)], whole: true });
    board.take({ t: 'news', topic: 'board', set: [alarm(1, 2)], gone: ['alarm:2'] });
    board.take({ t: 'news', topic: 'duty', set: [alarm(9)] });
    expect(board.all('alarm')).toEqual([alarm(1, 2)]);
    board.take({ t: 'news', topic: 'board', set: [], whole: true });
    expect(board.items.size).toBe(0);
  });

  it('is complete when its follow is answered', () => {
    const { board } = desk();
    board.resumed();
    expect(board.complete).toBe(false);
    board.take({ t: 'ok', n: 7 });
    expect(board.complete).toBe(true);
  });
});

describe('actions', () => {
  it('are kept until they are answered, and tell whoever waits', async () => {
    const { board, sent, saved } = desk();
    const answer = board.do('incident.open', { title: 'Fire' });
    const frame = sent[0] as { t: 'do'; id: string; what: string };
    expect(frame.what).toBe('incident.open');
    expect(saved().map(({ id }) => id)).toEqual([frame.id]);
    board.take({ t: 'done', id: frame.id, time: 5, result: { incident: 3 } });
    expect(await answer).toEqual({ ok: true, result: { incident: 3 }, time: 5 } satisfies Answered);
    expect(saved()).toEqual([]);
  });

  it('go out again in order after a loss or a reload', () => {
    const first = desk();
    first.line.up = false;
    void first.board.do('a.b', {});
    void first.board.do('c.d', {});
    expect(first.sent).toEqual([]);
    const second = desk([...first.saved()]);
    second.board.resumed();
    expect(second.sent.map((f) => (f.t === 'do' ? f.what : f.t))).toEqual(['follow', 'a.b', 'c.d']);
  });

  it('that are refused when nobody looks any more are kept to be read', () => {
    const first = desk();
    first.line.up = false;
    void first.board.do('incident.assign', { units: [7], incident: 1 });
    const second = desk([...first.saved()]);
    second.board.resumed();
    const [action] = second.saved();
    const refusal = { code: 'unit_taken', text: 'P-7 is taken.', todo: 'Choose another.' };
    second.board.take({ t: 'error', id: action?.id ?? '', ...refusal });
    expect(second.board.unheard).toEqual([{ action, ...refusal }]);
    for (const one of second.board.unheard) second.board.heard(one);
    expect(second.board.unheard).toEqual([]);
  });

  it('that are refused for good say why', async () => {
    const { board, sent } = desk();
    const answer = board.do('incident.assign', {});
    const { id } = sent[0] as { id: string };
    board.take({ t: 'error', code: 'unit_taken', text: 'P-1 was sent.', todo: 'Choose.', id });
    expect(await answer).toMatchObject({ ok: false, code: 'unit_taken' });
  });

  it('says what is an emergency first, in the order it was said', () => {
    const { board, line, sent } = desk();
    line.up = false;
    void board.do('unit.status', { status: 'busy' });
    void board.do('emergency.press', {});
    void board.do('emergency.safe', {});
    void board.do('emergency.press', {});
    line.up = true;
    board.resumed();
    expect(
      sent.filter(({ t }) => t === 'do').map((frame) => 'what' in frame && frame.what),
    ).toEqual(['emergency.press', 'emergency.safe', 'emergency.press', 'unit.status']);
  });

  it('may be asked about again after a reload, and are still done once', async () => {
    const first = desk();
    first.line.up = false;
    void first.board.do('call.take', { line: '911' }, 'one');
    const second = desk([...first.saved()]);
    const answer = second.board.do('call.take', { line: '911' }, 'one');
    second.board.resumed();
    expect(second.sent.map((f) => f.t)).toEqual(['follow', 'do']);
    second.board.take({ t: 'done', id: 'one', time: 5, result: { id: 3 } });
    expect(await answer).toMatchObject({ ok: true, result: { id: 3 } });
  });
});

describe('actions that waited too long', () => {
  const LATER = 1_000 + SENT_BY_ITSELF + 1;
  const does = (sent: ClientFrame[]): string[] =>
    sent.flatMap((frame) => (frame.t === 'do' ? [frame.what] : []));

  /** Asked for without a line; then the next window, so much later. */
  function next(now: number, ...asked: string[]) {
    const first = desk();
    first.line.up = false;
    for (const what of asked) void first.board.do(what, { incident: 1, unit: 7 });
    return desk([...first.saved()], now);
  }

  it('are held, and not sent by themselves', () => {
    const { board, sent, saved } = next(LATER, 'incident.assign', 'emergency.press');
    board.resumed();
    expect(does(sent)).toEqual([]);
    expect(board.held.map(({ what }) => what)).toEqual(['emergency.press', 'incident.assign']);
    expect(saved()).toHaveLength(2);
  });

  it('go by themselves until then', () => {
    const { board, sent } = next(1_000 + SENT_BY_ITSELF, 'incident.assign');
    board.resumed();
    expect(does(sent)).toEqual(['incident.assign']);
    expect(board.held).toEqual([]);
  });

  it('do not hold up what is said of a call', () => {
    const { board, sent } = next(LATER, 'call.take', 'incident.assign', 'call.change');
    board.resumed();
    expect(does(sent)).toEqual(['call.take', 'call.change']);
    expect(board.held.map(({ what }) => what)).toEqual(['incident.assign']);
  });

  it('are sent when somebody says so, under the same id, as if asked for now', () => {
    const { board, sent, saved, line } = next(LATER, 'incident.assign');
    board.resumed();
    const [held] = board.held;
    board.release(held?.id ?? '');
    expect(sent.at(-1)).toMatchObject({ t: 'do', id: held?.id, what: 'incident.assign' });
    expect(board.held).toEqual([]);
    expect(saved()).toMatchObject([{ time: LATER, tried: true }]);
    line.now += 1_000;
    board.resumed();
    expect(does(sent)).toEqual(['incident.assign', 'incident.assign']);
  });

  it('are held in the page that asked after a long outage, and discarding tells it', async () => {
    const { board, sent, saved, line } = desk();
    line.up = false;
    const answer = board.do('incident.assign', {});
    line.now = LATER;
    line.up = true;
    board.resumed();
    expect(does(sent)).toEqual([]);
    board.discard(board.held[0]?.id ?? '');
    expect(await answer).toMatchObject({ ok: false, code: 'discarded' });
    expect(saved()).toEqual([]);
    expect([board.held, board.unheard]).toEqual([[], []]);
  });

  it('say whether they may have been done', () => {
    const first = desk();
    void first.board.do('incident.assign', {});
    first.line.up = false;
    void first.board.do('unit.status', {});
    const { board } = desk([...first.saved()], LATER);
    expect(board.held.map(({ tried }) => tried ?? false)).toEqual([true, false]);
  });

  it('are answered after all when another window has sent them', () => {
    const { board } = next(LATER, 'incident.assign');
    board.take({ t: 'done', id: board.held[0]?.id ?? '', time: 5, result: null });
    expect(board.held).toEqual([]);
  });
});

it('what a closed window left is taken over once, and sent or held by its age', () => {
  const now = 1_000 + SENT_BY_ITSELF;
  const { board, sent, saved } = desk([], now);
  const left = [
    { id: 'old', what: 'incident.assign', with: {}, time: 0 },
    { id: 'new', what: 'unit.status', with: {}, time: now },
  ];
  expect(board.adopt(left)).toBe(true);
  expect(board.adopt(left)).toBe(true);
  expect(sent.map((frame) => frame.t === 'do' && frame.id)).toEqual(['new']);
  expect(board.held.map(({ id }) => id)).toEqual(['old']);
  expect(saved().map(({ id }) => id)).toEqual(['old', 'new']);
});

it('a board that was left sends nothing any more, and keeps what waits', () => {
  vi.useFakeTimers();
  const { board, sent, saved } = desk();
  void board.do('unit.status', {});
  const [first] = saved();
  board.take({ t: 'error', code: 'busy', text: '', todo: '', id: first?.id ?? '', retry: 1_000 });
  expect(vi.getTimerCount()).toBe(1);
  board.stop();
  expect(vi.getTimerCount()).toBe(0);
  expect(sent).toHaveLength(1);
  expect(saved()).toHaveLength(1);
  vi.useRealTimers();
});
