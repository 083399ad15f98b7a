import { expect, test } from 'vitest';
import type { Answered, Board } from './board.svelte';
import { Doing } from './doing.svelte';
import { Draft, Drafts } from './drafts.svelte';
import { Shelf } from './storage';

const CLOSING = { open: false, chosen: '', text: '', units: [] as number[] };
const REFUSED = { ok: false, code: 'not_now', text: 'P-3 is still assigned.', todo: '' } as const;

/** A browser's storage for two people. */
function browser(): (account?: string) => Shelf {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  return (account = 'person:1') => new Shelf(account, storage);
}

/** A board that answers when it is told to. */
function board(): {
  board: Board;
  asked: string[];
  answer: (drafts: Drafts, id: string, answer: Answered) => Promise<void>;
} {
  const asked: string[] = [];
  const answers = new Map<string, (answer: Answered) => void>();
  const waiting: { id: string; what: string }[] = [];
  const act = (what: string, _: unknown, id: string): Promise<Answered> => {
    asked.push(id);
    waiting.push({ id, what });
    return new Promise((resolve) => answers.set(id, resolve));
  };
  return {
    board: { do: act, waiting } as unknown as Board,
    asked,
    answer: async (drafts, id, answer) => {
      waiting.splice(0);
      answers.get(id)?.(answer);
      if (answer.ok) drafts.taken(id);
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

test('what is typed and chosen is there after a reload, each under its name and person', () => {
  const shelf = browser();
  const { typed } = new Drafts(shelf()).of('close:5', CLOSING);
  typed.open = true;
  typed.text = 'Driver found';
  typed.units = [...typed.units, 3];
  const again = new Drafts(shelf());
  expect(again.of('close:5', CLOSING).typed.text).toBe('Driver found');
  expect(again.of('close:5', CLOSING).typed.units).toEqual([3]);
  expect(again.of('close:5', CLOSING).typed.open).toBe(true);
  expect(again.of('close:6', CLOSING).typed.text).toBe('');
  expect(new Drafts(shelf('person:2')).of('close:5', CLOSING).typed.text).toBe('');
  expect(CLOSING.text).toBe('');
});

test('a form that is made anew on the same page has the same draft', () => {
  const drafts = new Drafts(null);
  drafts.of('recall:7', CLOSING).typed.text = 'no longer needed';
  expect(drafts.of('recall:7', CLOSING).typed.text).toBe('no longer needed');
});

test('nothing is kept of what was emptied again', () => {
  const shelf = browser();
  const { typed } = new Drafts(shelf()).of('close:5', CLOSING);
  typed.text = 'x';
  typed.text = '';
  expect(shelf().get('work-drafts', null)).toEqual({});
});

test('it is dropped when the server has done it, not when it is sent', async () => {
  const shelf = browser();
  const drafts = new Drafts(shelf());
  const there = board();
  const draft = drafts.of('close:5', CLOSING);
  draft.typed.text = 'Driver found';
  const doing = new Doing(() => there.board, draft);
  const done = doing.run('incident.close', {});
  expect(draft.typed.text).toBe('Driver found');
  expect(new Drafts(shelf()).of('close:5', CLOSING).typed.text).toBe('Driver found');
  await there.answer(drafts, there.asked[0] ?? '', { ok: true, result: null, time: 0 });
  expect(await done).toBe(true);
  expect(draft.typed.text).toBe('');
  expect(shelf().get('work-drafts', null)).toEqual({});
});

test('what is refused stays, and whoever opens the form again reads why', async () => {
  const drafts = new Drafts(browser()());
  const there = board();
  const draft = drafts.of('close:5', CLOSING);
  draft.typed.text = 'Driver found';
  const done = new Doing(() => there.board, draft).run('incident.close', {});
  await there.answer(drafts, there.asked[0] ?? '', REFUSED);
  expect(await done).toBe(false);
  expect(draft.typed.text).toBe('Driver found');
  const seenAgain = new Doing(() => there.board, drafts.of('close:5', CLOSING));
  expect(seenAgain.busy).toBeNull();
  expect(seenAgain.refused?.text).toBe('P-3 is still assigned.');
});

test('what was sent before a reload is under way after it, and dropped when it is done', async () => {
  const shelf = browser();
  const there = board();
  const before = new Drafts(shelf());
  before.of('close:5', CLOSING).typed.text = 'Driver found';
  void new Doing(() => there.board, before.of('close:5', CLOSING)).run('incident.close', {});
  const after = new Drafts(shelf());
  const draft = after.of('close:5', CLOSING);
  expect(draft.typed.text).toBe('Driver found');
  expect(new Doing(() => there.board, draft).busy).toBe('incident.close');
  await there.answer(after, there.asked[0] ?? '', { ok: true, result: null, time: 0 });
  expect(draft.typed.text).toBe('');
});

test('a draft whose form was not seen since the reload is dropped as well', () => {
  const shelf = browser();
  const draft = new Drafts(shelf()).of('close:5', CLOSING);
  draft.typed.text = 'Driver found';
  new Drafts(shelf()).taken(draft.send());
  expect(new Drafts(shelf()).of('close:5', CLOSING).typed.text).toBe('');
});

test('what is typed after it was sent is not taken away by the answer', () => {
  const shelf = browser();
  const drafts = new Drafts(shelf());
  const draft = drafts.of('lookout', CLOSING);
  draft.typed.text = 'a white Toyota';
  const id = draft.send();
  draft.typed.text = 'a white Toyota, and a trailer';
  drafts.taken(id);
  expect(draft.typed.text).toBe('a white Toyota, and a trailer');
  expect(new Drafts(shelf()).of('lookout', CLOSING).typed.text).toMatch(/trailer$/);
});

test('another window of the same person has what is typed here', () => {
  const shelf = browser();
  const [map, work] = [new Drafts(shelf()), new Drafts(shelf())];
  const there = work.of('emergency:2', CLOSING);
  map.of('emergency:2', CLOSING).typed.text = 'unhurt';
  work.follow('psn:person:1:outbox');
  expect(there.typed.text).toBe('');
  work.follow('psn:person:1:work-drafts');
  expect(there.typed.text).toBe('unhurt');
  map.of('emergency:2', CLOSING).drop();
  work.follow(null);
  expect(there.typed.text).toBe('');
});

test('a full storage loses nothing while the page is open, and it is told', () => {
  const full = { getItem: () => null, removeItem: () => undefined };
  const drafts = new Drafts(
    new Shelf('person:1', {
      ...full,
      setItem: () => {
        throw new Error('full');
      },
    }),
  );
  drafts.of('close:5', CLOSING).typed.text = 'Driver found';
  expect(drafts.kept).toBe(false);
  drafts.follow(null);
  expect(drafts.of('close:5', CLOSING).typed.text).toBe('Driver found');
});

test('a storage that holds nonsense loses nothing but that', () => {
  const shelf = browser();
  shelf().set('work-drafts', { 'close:5': 7, 'close:6': { typed: null } });
  const drafts = new Drafts(shelf());
  expect(drafts.of('close:5', CLOSING).typed.text).toBe('');
  drafts.of('close:6', CLOSING).typed.text = 'x';
  expect(new Drafts(shelf()).of('close:6', CLOSING).typed.text).toBe('x');
});

test('a form takes the keyboard when it is asked for, not when it is seen again', () => {
  const draft = new Draft(CLOSING);
  draft.begin({ open: true });
  expect([draft.asked(), draft.asked()]).toEqual([true, false]);
});
