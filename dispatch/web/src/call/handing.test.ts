import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Answer } from '../state/http';
import { Handing, newReport, type Handed, type Report } from './handing.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const OK: Answer<unknown> = { ok: true, value: {} };
const LOST: Answer<unknown> = { ok: false, text: '', code: 'unreachable' };
const report = (notes: string): Report => ({ ...newReport('agency'), notes });

/** A form's other end: answers as it is told to, and remembers what was asked. */
function place() {
  const post = {
    ready: true,
    answers: [] as (Answer<unknown> | Promise<Answer<unknown>>)[],
    asked: [] as [string, string][],
    kept: [] as readonly Handed[],
    told: [] as string[],
  };
  const handing = new Handing({
    ready: () => post.ready,
    send: ({ id, report: { notes } }) => {
      post.asked.push([id, notes]);
      return Promise.resolve(post.answers.shift() ?? LOST);
    },
    keep: (waiting) => (post.kept = waiting),
    received: ({ report: { notes } }) => post.told.push(notes),
    refused: (text) => post.told.push(text),
  });
  return { handing, post };
}
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

test('after a lost answer the same words go again under the same id, and by themselves', async () => {
  const { handing, post } = place();
  handing.hand(report('Fire'));
  await settle();
  expect(post.kept).toHaveLength(1);
  expect(handing.late).toBe(true);
  post.answers = [OK];
  await vi.advanceTimersByTimeAsync(5_000);
  expect(post.asked.map(([, notes]) => notes)).toEqual(['Fire', 'Fire']);
  expect(post.asked[0]?.[0]).toBe(post.asked[1]?.[0]);
  expect(post.told).toEqual(['Fire']);
  expect(post.kept).toEqual([]);
  expect(handing.late).toBe(false);
});

test('what is added after a lost answer goes as one of its own, behind the first', async () => {
  const { handing, post } = place();
  handing.hand(report('Fire'));
  await settle();
  handing.hand(report('Fire, two in'));
  await settle();
  handing.hand(report('Fire, two inside'));
  post.answers = [OK, OK];
  await vi.advanceTimersByTimeAsync(5_000);
  const ids = new Map(post.asked.map(([id, notes]) => [notes, id]));
  expect([...ids.keys()]).toEqual(['Fire', 'Fire, two inside']);
  expect(new Set(ids.values()).size).toBe(2);
  expect(post.asked.every(([id, notes]) => ids.get(notes) === id)).toBe(true);
  expect(post.told).toEqual(['Fire', 'Fire, two inside']);
});

test('what was kept before a reload is sent under the id it had', async () => {
  const { handing, post } = place();
  handing.take([{ id: 'a', report: report('Fire') }]);
  post.ready = false;
  await handing.pump();
  expect(post.asked).toEqual([]);
  post.ready = true;
  post.answers = [OK];
  await handing.pump();
  expect(post.asked).toEqual([['a', 'Fire']]);
});

test('a refusal is told once and ends it; the next sending has another id', async () => {
  const { handing, post } = place();
  post.answers = [{ ok: false, text: 'Too long.', code: 'bad_value' }, OK];
  handing.hand(report('Fire'));
  await settle();
  expect(post.told).toEqual(['Too long.']);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(post.asked).toHaveLength(1);
  handing.hand(report('Fire'));
  await settle();
  expect(new Set(post.asked.map(([id]) => id)).size).toBe(2);
});

test('a line on which nothing comes back counts as lost', async () => {
  const { handing, post } = place();
  post.answers = [new Promise(() => undefined), OK];
  handing.hand(report('Fire'));
  await vi.advanceTimersByTimeAsync(14_000);
  expect(post.asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(post.told).toEqual(['Fire']);
});

test('of somebody who has signed out nothing more is told', async () => {
  const { handing, post } = place();
  let answer: (value: Answer<unknown>) => void = () => undefined;
  post.answers = [new Promise((resolve) => (answer = resolve))];
  handing.hand(report('Fire'));
  handing.take([]);
  answer(OK);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(post.told).toEqual([]);
  expect(post.asked).toHaveLength(1);
});
