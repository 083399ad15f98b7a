import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Stillness } from './stillness.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('what moved takes no touch for a moment, counted from when it moved last', () => {
  const still = new Stillness();
  expect(still.on).toBe(false);
  still.moved();
  vi.advanceTimersByTime(400);
  still.moved();
  vi.advanceTimersByTime(400);
  expect(still.on).toBe(true);
  vi.advanceTimersByTime(200);
  expect(still.on).toBe(false);
});
