import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Alarm } from './alarm.svelte';
import type { Armed } from './manDown';

const MINUTE = 60_000;
let touch: () => void = () => undefined;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('addEventListener', (kind: string, listener: () => void) => {
    if (kind === 'pointerdown') touch = listener;
  });
  vi.stubGlobal('document', { hidden: false, addEventListener: () => undefined });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A tablet that is switched on with what it kept before. */
function on(before: Armed | null = null) {
  const place = { kept: before, writes: 0, pressed: [] as string[] };
  const alarm = new Alarm((how) => place.pressed.push(how), {
    load: () => place.kept,
    save: (armed) => {
      place.kept = armed;
      place.writes += 1;
    },
  });
  return { alarm, place };
}

test('a timer that was armed counts down after a restart when it would have before', () => {
  const first = on();
  first.alarm.arm(5);
  vi.advanceTimersByTime(3 * MINUTE);
  const { alarm, place } = on(first.place.kept);
  expect(alarm.minutes).toBe(5);
  vi.advanceTimersByTime(2 * MINUTE - 1_000);
  expect(alarm.stage).toBe('rest');
  vi.advanceTimersByTime(2_000);
  expect([alarm.stage, alarm.how]).toEqual(['counting', 'man_down']);
  vi.advanceTimersByTime(6_000);
  expect(place.pressed).toEqual(['man_down']);
});

test('what moves is kept now and then, and a restart in the countdown puts nothing off', () => {
  const { alarm, place } = on();
  alarm.arm(2);
  for (let second = 0; second < 60; second += 1) {
    vi.advanceTimersByTime(1_000);
    touch();
  }
  expect(place.writes).toBeLessThan(10);
  expect(Date.now() - (place.kept?.moved ?? 0)).toBeLessThan(11_000);
  const last = Date.now();
  vi.advanceTimersByTime(2 * MINUTE + 1_000);
  expect(alarm.stage).toBe('counting');
  expect(place.kept?.moved).toBeLessThanOrEqual(last);
});

test('switched off it is not armed after a restart', () => {
  const { alarm, place } = on({ minutes: 5, moved: Date.now() });
  expect(alarm.minutes).toBe(5);
  alarm.arm(0);
  expect(on(place.kept).alarm.minutes).toBe(0);
});
