import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AfterTyping } from './afterTyping';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('nothing is moved from under the hands of somebody who types, and only the last of it after', () => {
  const done: string[] = [];
  let typing = false;
  const after = new AfterTyping(() => typing);
  after.do(() => done.push('a'));
  expect(done).toEqual(['a']);
  typing = true;
  after.do(() => done.push('b'));
  after.do(() => done.push('c'));
  vi.advanceTimersByTime(60_000);
  expect(done).toEqual(['a']);
  typing = false;
  vi.advanceTimersByTime(300);
  expect(done).toEqual(['a', 'c']);
  vi.advanceTimersByTime(60_000);
  expect(done).toEqual(['a', 'c']);
});

test('what is done at once takes the place of what waited', () => {
  const done: string[] = [];
  let typing = true;
  const after = new AfterTyping(() => typing);
  after.do(() => done.push('a'));
  typing = false;
  after.do(() => done.push('b'));
  vi.advanceTimersByTime(1_000);
  expect(done).toEqual(['b']);
});
