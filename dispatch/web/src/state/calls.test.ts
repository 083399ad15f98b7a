import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClientFrame } from '../wire/frames';
import type { Call } from '../wire/items';
import { Board } from './board.svelte';
import { noFields, over, shortNumber, titleOf, toSend } from './callDraft';
import { Calls, SEND_EVERY } from './calls.svelte';
import { Shelf } from './storage';

const ME = 9;

function storage(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> & {
  map: Map<string, string>;
  full: boolean;
} {
  const map = new Map<string, string>();
  return {
    map,
    full: false,
    getItem: (key) => map.get(key) ?? null,
    setItem(key, value) {
      if (this.full) throw new Error('QuotaExceededError');
      map.set(key, value);
    },
    removeItem: (key) => void map.delete(key),
  };
}

/** A window on a storage; the same storage again is the window after a crash. */
function open(kept = storage(), window = '') {
  const sent: ClientFrame[] = [];
  const shelf = new Shelf('person:9', kept, window);
  const clock = { now: 100_000 };
  const board = new Board(
    'board',
    { load: () => shelf.get('actions', []), save: (actions) => shelf.set('actions', actions) },
    {
      send: (frame) => sent.push(frame) > 0,
      next: () => 7,
      live: () => true,
      now: () => 1_000,
    },
  );
  const calls = new Calls(board, shelf, ME, () => clock.now);
  const actions = () => sent.filter((frame) => frame.t === 'do');
  const answer = async (index: number, result: unknown = null): Promise<void> => {
    board.take({ t: 'done', id: actions()[index]?.id ?? '', time: 1, result });
    await Promise.resolve();
    await Promise.resolve();
  };
  const news = (call: Partial<Call>): void => {
    const item = { is: 'call', id: 5, agency: 1, number: 'BPD-C26-00005', line: '911', state: 'taken', received: 1, taken_by: ME, ...call } as Call; // prettier-ignore
    board.take({ t: 'news', topic: 'board', set: [item] });
    calls.look();
  };
  return { board, calls, kept, actions, answer, news, clock };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a call', () => {
  it('is taken before anything is typed, and what is typed follows in order', async () => {
    const { calls, actions, answer } = open();
    const draft = calls.take();
    expect(actions()).toMatchObject([{ what: 'call.take', with: { line: '911' } }]);
    calls.change(draft, 'notes', 'hit');
    calls.change(draft, 'notes', 'hit and run');
    calls.change(draft, 'caller_name', 'Rosa');
    vi.advanceTimersByTime(SEND_EVERY);
    expect(actions()).toHaveLength(1);
    await answer(0, { id: 5 });
    expect(actions()[1]).toMatchObject({
      what: 'call.change',
      with: { call: 5, notes: 'hit and run', caller_name: 'Rosa' },
    });
    expect(calls.settled(draft)).toBe(false);
    await answer(1);
    expect(calls.settled(draft)).toBe(true);
  });

  it('reaches the server while one goes on typing', async () => {
    const { calls, actions, answer } = open();
    const draft = calls.take();
    await answer(0, { id: 5 });
    for (let n = 1; n <= 20; n++) {
      calls.change(draft, 'notes', 'x'.repeat(n));
      vi.advanceTimersByTime(100);
    }
    expect(actions().length).toBeGreaterThan(4);
  });

  it('comes back after a crash at any moment, taken once', async () => {
    const before = open();
    const draft = before.calls.take();
    before.calls.change(draft, 'notes', 'a white');
    // The page dies before the server has answered.
    const after = open(before.kept);
    expect(after.calls.open?.fields.notes).toBe('a white');
    after.board.resumed();
    expect(after.actions().map(({ id }) => id)).toEqual([draft.key]);
    await after.answer(0, { id: 5 });
    expect(after.actions()[1]).toMatchObject({ with: { call: 5, notes: 'a white' } });
    // It dies again, before that is answered.
    const last = open(before.kept);
    last.board.resumed();
    expect(last.calls.drafts).toHaveLength(1);
    expect(last.actions()).toMatchObject([{ what: 'call.change', with: { notes: 'a white' } }]);
  });

  it('that was on the screen is there again after a reload, in each window its own', () => {
    const before = open();
    const [first, second] = [before.calls.take(), before.calls.take()];
    expect(before.calls.open).toBe(second);
    expect(open(before.kept).calls.open?.key).toBe(second.key);
    before.calls.show(first);
    const other = open(before.kept, 'work');
    other.calls.next();
    expect(other.calls.open?.key).toBe(second.key);
    expect(open(before.kept).calls.open?.key).toBe(first.key);
    expect(open(before.kept, 'work').calls.open?.key).toBe(second.key);
    before.calls.dismiss(first);
    expect(open(before.kept).calls.open?.key).toBe(second.key);
  });

  it('comes back from the server alone when the browser has lost everything', () => {
    const { calls, news } = open();
    news({ notes: 'a white Toyota', place: 'Queen Street' });
    expect(calls.open?.fields).toMatchObject({
      notes: 'a white Toyota',
      place: { text: 'Queen Street', lon: null, lat: null },
    });
  });

  it('is not opened twice when it comes before its answer', async () => {
    const { calls, answer, news } = open();
    calls.take();
    news({});
    expect(calls.drafts).toHaveLength(1);
    await answer(0, { id: 5 });
    news({});
    expect(calls.drafts).toHaveLength(1);
    expect(calls.drafts[0]?.number).toBe('BPD-C26-00005');
  });

  it('keeps what is being typed when something else comes', async () => {
    const { calls, answer, news, clock } = open();
    const draft = calls.take();
    await answer(0, { id: 5 });
    calls.change(draft, 'notes', 'mine');
    vi.advanceTimersByTime(SEND_EVERY);
    await answer(1);
    news({ notes: 'min', caller_name: 'Rosa' });
    expect(draft.fields.notes).toBe('mine');
    expect(draft.fields.caller_name).toBe('Rosa');
    clock.now += 10_000;
    draft.focused = 'notes';
    news({ notes: 'theirs' });
    expect(draft.fields.notes).toBe('mine');
    draft.focused = null;
    news({ notes: 'theirs' });
    expect(draft.fields.notes).toBe('theirs');
  });

  it('that somebody else has now stays to be read', async () => {
    const { calls, answer, news, actions } = open();
    const draft = calls.take();
    await answer(0, { id: 5 });
    calls.change(draft, 'notes', 'typed');
    news({ taken_by: 4, taken_by_name: 'Ben' });
    expect(draft).toMatchObject({ standing: 'lost', with: 'Ben' });
    vi.advanceTimersByTime(SEND_EVERY);
    expect(actions()).toHaveLength(1);
    expect(draft.fields.notes).toBe('typed');
    calls.dismiss(draft);
    expect(calls.drafts).toEqual([]);
  });

  it('that has its answer before it is on the board stays', async () => {
    const { calls, answer, board, news } = open();
    board.resumed();
    board.take({ t: 'ok', n: 7 });
    const draft = calls.take();
    await answer(0, { id: 5 });
    expect(calls.drafts).toEqual([draft]);
    news({});
    board.take({ t: 'news', topic: 'board', gone: ['call:5'] });
    calls.look();
    expect(calls.drafts).toEqual([]);
  });

  it('that is picked up comes to the front', async () => {
    const { calls, news, answer } = open();
    calls.take();
    await answer(0, { id: 4 });
    void calls.pickUp(5);
    news({});
    expect(calls.open?.call).toBe(5);
    news({ id: 6 });
    expect(calls.open?.call).toBe(5);
    expect(calls.drafts).toHaveLength(3);
  });

  it('ends after all that was typed, and is forgotten', async () => {
    const { calls, actions, answer, kept } = open();
    const draft = calls.take();
    await answer(0, { id: 5 });
    calls.change(draft, 'notes', 'last words');
    const ended = calls.finish(draft, 'call.close', { reason: 'prank' });
    expect(actions().map(({ what }) => what)).toEqual(['call.take', 'call.change', 'call.close']);
    await answer(1);
    await answer(2);
    expect((await ended).ok).toBe(true);
    expect(calls.drafts).toEqual([]);
    expect([...kept.map.keys()].filter((key) => key.includes('call:'))).toEqual([]);
  });

  it('is kept once by two windows, and what is typed in one is not written over', async () => {
    const work = open();
    const draft = work.calls.take();
    await work.answer(0, { id: 5 });
    work.calls.change(draft, 'notes', 'typed, not sent');
    const map = open(work.kept);
    const late = open(work.kept);
    for (const window of [map, late]) window.news({ notes: '' });
    expect(map.calls.drafts).toHaveLength(1);
    expect(open(work.kept).calls.drafts.map(({ fields }) => fields.notes)).toEqual([
      'typed, not sent',
    ]);
  });

  it('of which another window tells is there, and stays kept for that window', async () => {
    const map = open();
    const work = open(map.kept);
    const draft = work.calls.take('911', 'one key');
    await work.answer(0, { id: 5 });
    work.calls.change(draft, 'notes', 'typed');
    map.news({});
    expect(map.calls.drafts.map(({ key }) => key)).toEqual(['one key']);
    map.board.take({ t: 'ok', n: 7 });
    map.board.take({ t: 'news', topic: 'board', gone: ['call:5'] });
    map.calls.dismiss(map.calls.drafts[0] ?? draft);
    expect(open(map.kept).calls.drafts[0]?.fields.notes).toBe('typed');
  });

  it('that two windows kept is one again after a reload', () => {
    const [map, work] = [open(), open()];
    for (const window of [map, work]) window.news({});
    // As if each had heard of it before the other had kept it.
    const { map: both } = work.kept;
    for (const [key, value] of map.kept.map) if (key.includes('call:')) both.set(key, value);
    const keys = [...both.keys()].filter((key) => key.includes('call:'));
    both.set('psn:person:9:calls', JSON.stringify(keys.map((key) => key.split('call:')[1])));
    expect(keys).toHaveLength(2);
    expect(open(work.kept).calls.drafts).toHaveLength(1);
    expect([...both.keys()].filter((key) => key.includes('call:'))).toHaveLength(1);
  });

  it('whose end is refused stays', async () => {
    const { calls, actions, answer, board } = open();
    const draft = calls.take();
    await answer(0, { id: 5 });
    const ended = calls.finish(draft, 'call.join', { incident: 3 });
    const { id } = actions()[1] ?? { id: '' };
    board.take({ t: 'error', code: 'not_now', text: 'It is closed.', todo: 'Look.', id });
    expect((await ended).ok).toBe(false);
    expect(draft.problem?.text).toBe('It is closed.');
    expect(calls.open).toBe(draft);
  });

  it('that the server does not take keeps what was typed', async () => {
    const { calls, actions, board } = open();
    const draft = calls.take();
    calls.change(draft, 'notes', 'typed');
    const { id } = actions()[0] ?? { id: '' };
    board.take({ t: 'error', code: 'not_allowed', text: 'No.', todo: 'Ask.', id });
    await Promise.resolve();
    await Promise.resolve();
    expect(draft.standing).toBe('refused');
    expect(draft.fields.notes).toBe('typed');
  });
});

describe('what is typed', () => {
  it('and is too long is kept here and not sent', () => {
    const fields = { ...noFields('911'), notes: '🚓'.repeat(8001), caller_name: 'Rosa\0' };
    expect(over(fields, 'notes')).toBe(1);
    expect(over({ ...fields, notes: '🚓'.repeat(8000) }, 'notes')).toBe(0);
    expect(toSend(fields, ['notes', 'caller_name'])).toEqual({ caller_name: 'Rosa' });
  });

  it('has a short number', () => {
    expect(shortNumber('BPD-C26-00005')).toBe('C26-5');
    expect(shortNumber('')).toBe('');
  });

  it('makes a title', () => {
    expect(titleOf('Fire', 'Queen Street')).toBe('Fire, Queen Street');
    expect(titleOf('', ' Queen Street ')).toBe('Queen Street');
    expect(titleOf('Fire', '')).toBe('Fire');
    expect(titleOf('x'.repeat(300), 'y')).toHaveLength(200);
  });
});

describe('a browser that keeps nothing', () => {
  it('is told of while a call is typed, and no longer when it keeps again', () => {
    const kept = storage();
    const { calls } = open(kept);
    kept.full = true;
    const draft = calls.take();
    expect(calls.kept).toBe(false);
    kept.full = false;
    calls.change(draft, 'notes', 'hit and run');
    expect(calls.kept).toBe(true);
    expect(open(kept).calls.open?.fields.notes).toBe('hit and run');
    kept.full = true;
    calls.change(draft, 'notes', 'hit and run, white');
    expect(calls.kept).toBe(false);
    calls.dismiss(draft);
    expect(calls.kept).toBe(true);
  });
});

it('nothing of a call is sent after the console was left', async () => {
  const { calls, actions, answer } = open();
  const draft = calls.take();
  await answer(0, { id: 5 });
  calls.change(draft, 'notes', 'hit');
  calls.stop();
  vi.advanceTimersByTime(60_000);
  expect(actions()).toHaveLength(1);
});
