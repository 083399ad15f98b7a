import { expect, test } from 'vitest';
import type { Answer } from './http';
import { Learning } from './learning';

function asked(answers: Answer<unknown>[]): { learning: Learning; waits: number[] } {
  const waits: number[] = [];
  const get = <T>(): Promise<Answer<T>> => Promise.resolve(answers.shift() as Answer<T>);
  const learning = new Learning(get, (ms) => {
    waits.push(ms);
    return Promise.resolve();
  });
  return { learning, waits };
}

const no: Answer<never> = { ok: false, text: '', code: 'unreachable' };

test('it is asked again until it is answered, more and more seldom', async () => {
  const { learning, waits } = asked([no, no, no, no, no, no, { ok: true, value: 7 }]);
  expect(await learning.ask('/api/rights')).toBe(7);
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
});

test('what comes when somebody else is here is not taken', async () => {
  const { learning } = asked([{ ok: true, value: 7 }]);
  const answer = learning.ask('/api/rights');
  learning.over();
  expect(await answer).toBeNull();
});

test('nobody asks on who has left', async () => {
  const answers = [no, no, no];
  const { learning } = asked(answers);
  const answer = learning.ask('/api/rights');
  await Promise.resolve();
  learning.over();
  expect(await answer).toBeNull();
  expect(answers.length).toBeGreaterThan(0);
});
