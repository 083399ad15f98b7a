import { describe, expect, it } from 'vitest';
import type { ClientFrame } from '../wire/frames';
import type { Action } from './actions';
import { Board, type Answered } from './board.svelte';

function desk(kept: Action[] = []) {
  const sent: ClientFrame[] = [];
  const line = { up: true };
  let saved: readonly Action[] = kept;
  const board = new Board(
    'board',
    { load: () => [...saved], save: (actions) => ((saved = [...actions]), true) },
    {
      send: (frame) => line.up && sent.push(frame) > 0,
      next: () => 7,
      live: () => line.up,
      now: () => 1_000,
    },
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
