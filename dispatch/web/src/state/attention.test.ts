import { expect, test } from 'vitest';
import { Attention } from './attention';

function watched(): {
  attention: Attention;
  sent: number[];
  at: (ms: number) => void;
  line: { up: boolean };
} {
  let now = 0;
  const sent: number[] = [];
  const line = { up: true };
  const attention = new Attention(
    () => {
      if (line.up) sent.push(now);
      return line.up;
    },
    () => now,
  );
  return { attention, sent, at: (ms) => (now = ms), line };
}

test('however much is typed, the server hears of it once a minute', () => {
  const { attention, sent, at } = watched();
  for (let ms = 0; ms < 180_000; ms += 100) {
    at(ms);
    attention.touched();
  }
  expect(sent).toEqual([0, 60_000, 120_000]);
});

test('after a warning the first key counts at once', () => {
  const { attention, sent, at } = watched();
  attention.touched();
  at(10_000);
  attention.warned();
  attention.touched();
  attention.touched();
  expect(sent).toEqual([0, 10_000]);
});

test('what could not be said is said with the next key', () => {
  const { attention, sent, at, line } = watched();
  line.up = false;
  attention.touched();
  line.up = true;
  at(5);
  attention.touched();
  expect(sent).toEqual([5]);
});
