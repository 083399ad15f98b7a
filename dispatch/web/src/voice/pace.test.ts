import { expect, test } from 'vitest';
import { packetMs } from './pace';

test('packets are long where the line is slow', () => {
  expect([null, 0, 250, 251, 500, 501, 9_000].map(packetMs)).toEqual([20, 20, 20, 40, 40, 60, 60]);
});
