import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClientFrame, Mail } from '../wire/frames';
import { SENT_BY_ITSELF, tooOld } from './held';
import { Mailroom } from './mailroom.svelte';
import { Shelf, type Place } from './storage';

const ME = 'person:9';

function storage(limit = { full: false }): Place & { map: Map<string, string> } {
  const map = new Map<string, string>();
  return {
    map,
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => {
      if (limit.full) throw new Error('QuotaExceededError');
      map.set(key, value);
    },
    removeItem: (key) => void map.delete(key),
  };
}

/** A window on a storage; the same name again is the window after a reload. */
function open(kept: Place = storage(), name = 'a', now = 1_000) {
  const sent: ClientFrame[] = [];
  const told: string[] = [];
  const line = { up: true, now };
  const shelf = new Shelf(ME, kept, name);
  const post = {
    send: (frame: ClientFrame) => line.up && sent.push(frame) > 0,
    next: () => 7,
    resume: () => undefined,
    live: () => line.up,
    now: () => line.now,
    get: () => Promise.resolve({ ok: false as const, text: '', code: '' }),
    told: (ids: readonly string[]) => void told.push(...ids),
  };
  const room = new Mailroom({ me: ME, name: 'Ana' }, shelf, post, tooOld);
  const texts = () => sent.flatMap((frame) => (frame.t === 'message' ? [frame.text] : []));
  return { room, line, sent, told, texts, kept };
}

const mail = (id: string, seq: number): Mail => ({
  t: 'mail',
  box: ME,
  seq,
  body: {
    kind: 'message',
    id,
    sender: 'person:3',
    sender_name: 'Bo',
    to: [ME],
    text: id,
    priority: 'emergency',
    time: seq,
  },
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a message that waited', () => {
  function waiting(minutes: number) {
    const before = open();
    before.line.up = false;
    before.room.write(['unit:7'], 'go', 'routine');
    return open(before.kept, 'a', 1_000 + minutes * 60_000);
  }

  it('goes by itself after a reload', () => {
    const { room, texts } = waiting(2);
    room.resumed({});
    expect(texts()).toEqual(['go']);
    expect(room.held).toEqual([]);
  });

  it('is held after hours, and shown as not sent', () => {
    const { room, texts } = waiting(12 * 60);
    room.resumed({});
    expect(texts()).toEqual([]);
    expect(room.held.map(({ text }) => text)).toEqual(['go']);
    expect([...room.book.items.values()][0]).toMatchObject({ progress: 'refused', problem: '' });
    expect(room.waiting).toBe(0);
  });

  it('is held after a long outage of the network too, in the page that wrote it', () => {
    const { room, line, texts } = open();
    line.up = false;
    room.write(['unit:7'], 'go', 'routine');
    line.now += SENT_BY_ITSELF + 1;
    line.up = true;
    room.resumed({});
    expect(texts()).toEqual([]);
    expect(room.held).toHaveLength(1);
  });

  it('is sent when somebody says so, under the same id, and then as any other', () => {
    const { room, line, sent, texts, kept } = waiting(12 * 60);
    room.resumed({});
    const [held] = room.held;
    line.up = false;
    room.release(held?.id ?? '');
    expect(room.held).toEqual([]);
    // Said while there was no line: it goes with the line, also after a reload.
    const after = open(kept, 'a', line.now + 1_000);
    after.room.resumed({});
    expect(after.texts()).toEqual(['go']);
    expect(after.sent.find(({ t }) => t === 'message')).toMatchObject({ id: held?.id });
    expect([texts(), sent]).toEqual([[], []]);
    after.room.take({ t: 'ack', id: held?.id ?? '', time: 5 });
    expect(open(kept, 'a').room.unsent).toEqual([]);
  });

  it('is forgotten when somebody discards it', () => {
    const { room, kept } = waiting(12 * 60);
    expect(room.discard(room.held[0]?.id ?? '')).toBe('go');
    expect(room.held).toEqual([]);
    expect(room.book.items.size).toBe(0);
    expect(open(kept, 'a').room.unsent).toEqual([]);
  });
});

describe('two windows of one person', () => {
  it('do not overwrite what the other has to send', () => {
    const first = open();
    const second = open(first.kept, 'b');
    first.line.up = second.line.up = false;
    first.room.write(['unit:1'], 'one', 'routine');
    second.room.write(['unit:2'], 'two', 'routine');
    expect(open(first.kept, 'a').room.unsent.map(({ text }) => text)).toEqual(['one']);
    expect(open(first.kept, 'b').room.unsent.map(({ text }) => text)).toEqual(['two']);
  });

  it('do not overwrite the drafts of the other', () => {
    const first = open();
    const second = open(first.kept, 'b');
    first.room.keepDraft('unit:1', { text: 'one', priority: 'routine' });
    second.room.keepDraft('unit:2', { text: 'two', priority: 'routine' });
    first.room.keepDraft('unit:3', { text: 'three', priority: 'routine' });
    const { room } = open(first.kept, 'c');
    expect(['unit:1', 'unit:2', 'unit:3'].map((key) => room.draft(key).text)).toEqual([
      'one',
      'two',
      'three',
    ]);
  });

  it('keep one set of unread marks and cursors', () => {
    const first = open();
    const second = open(first.kept, 'b');
    for (const one of [first, second]) one.room.take(mail('help', 1));
    vi.advanceTimersByTime(100);
    second.room.take(mail('more', 2));
    vi.advanceTimersByTime(100);
    // The first is behind; what it keeps takes nothing back.
    first.room.markRead(['help']);
    vi.advanceTimersByTime(100);
    expect(JSON.parse(first.kept.getItem(`psn:${ME}:unread`) ?? '')).toEqual(['more']);
    expect(JSON.parse(first.kept.getItem(`psn:${ME}:cursors`) ?? '')).toEqual({ [ME]: 2 });
  });

  it('know what was acknowledged in the other, also before it has come here', () => {
    const first = open();
    const second = open(first.kept, 'b');
    first.room.take(mail('help', 1));
    first.room.take(mail('more', 2));
    second.room.take(mail('help', 1));
    first.room.markRead(['help', 'more']);
    second.room.readElsewhere(first.told);
    expect(second.room.alarms).toEqual([]);
    second.room.take(mail('more', 2));
    expect(second.room.alarms).toEqual([]);
    // Only one of them says so to the server.
    expect(second.sent.filter(({ t }) => t === 'read')).toEqual([]);
  });

  it('of which one is closed: the other takes over its messages, each once', () => {
    const first = open();
    first.line.up = false;
    first.room.write(['unit:1'], 'one', 'routine');
    const second = open(first.kept, 'b');
    const left = first.room.unsent;
    expect(second.room.adopt(left)).toBe(true);
    expect(second.room.adopt(left)).toBe(true);
    expect(second.texts()).toEqual(['one']);
    expect(second.room.conversations).toHaveLength(1);
  });
});

it('what the browser cannot keep stays here, and is told', () => {
  const limit = { full: true };
  const { room } = open(storage(limit));
  room.keepDraft('unit:1', { text: 'one', priority: 'routine' });
  expect(room.draft('unit:1').text).toBe('one');
  expect(room.draftsKept).toBe(false);
  limit.full = false;
  room.keepDraft('unit:1', { text: 'one more', priority: 'routine' });
  expect(room.draftsKept).toBe(true);
});

it('nothing goes on after it has stopped, and what was seen is kept', () => {
  const { room, sent, kept } = open();
  room.write(['unit:1'], 'one', 'routine');
  const id = room.unsent[0]?.id ?? '';
  room.take(mail('help', 1));
  room.take({ t: 'error', code: 'unavailable', text: '', todo: '', id, retry: 1_000 });
  const before = sent.length;
  room.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect(sent).toHaveLength(before);
  expect(kept.getItem(`psn:${ME}:unread`)).toBe('["help"]');
});
