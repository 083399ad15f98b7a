import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Alarm } from './alarm.svelte';
import type { Armed } from './manDown';
import { COUNTDOWN, type Counting } from './redButton';

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
function on(before: Armed | null = null, counting: Counting | null = null) {
  const place = {
    kept: before,
    counting,
    writes: 0,
    pressed: [] as string[],
    at: [] as number[],
    /** What was on disk of the countdown when it was pressed. */
    then: [] as (Counting | null)[],
  };
  const press = (how: string, at: number): void => {
    place.pressed.push(how);
    place.at.push(at);
    place.then.push(place.counting);
  };
  const alarm = new Alarm(press, {
    load: () => place.kept,
    save: (armed) => {
      place.kept = armed;
      place.writes += 1;
    },
    loadCounting: () => place.counting,
    saveCounting: (kept) => (place.counting = kept),
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

/** Hold the red button until it counts down. */
function hold(alarm: Alarm): void {
  alarm.down();
  vi.advanceTimersByTime(1_500);
  expect(alarm.stage).toBe('counting');
}

test('what counts down is on disk until it is pressed, and a restart goes on with it', () => {
  const first = on();
  hold(first.alarm);
  expect(first.place.counting).toEqual({ how: 'button', ends: Date.now() + COUNTDOWN });
  const kept = first.place.counting;
  first.alarm.cancel();
  expect(first.place.counting).toBeNull();
  vi.advanceTimersByTime(2_000);
  const { alarm, place } = on(null, kept);
  expect([alarm.stage, alarm.left]).toEqual(['counting', 3]);
  vi.advanceTimersByTime(3_100);
  expect([place.pressed, place.at]).toEqual([['button'], [kept?.ends]]);
  expect([place.then, place.counting]).toEqual([[kept], null]);
});

test('a countdown that was over while the page was closed is pressed with its own time', () => {
  const ends = Date.now() - 10 * MINUTE;
  const { place } = on(null, { how: 'man_down', ends });
  vi.advanceTimersByTime(100);
  expect([place.pressed, place.at, place.counting]).toEqual([['man_down'], [ends], null]);
});

test('sent at once it is forgotten after the press only', () => {
  const { alarm, place } = on();
  hold(alarm);
  alarm.now();
  expect(place.pressed).toEqual(['button']);
  expect([place.then[0]?.how, place.counting]).toEqual(['button', null]);
  vi.advanceTimersByTime(10_000);
  expect(place.pressed).toHaveLength(1);
});

test('a short tap tells for a while that it must be held', () => {
  const { alarm } = on();
  alarm.down();
  vi.advanceTimersByTime(300);
  alarm.up();
  expect([alarm.stage, alarm.short]).toEqual(['rest', true]);
  vi.advanceTimersByTime(5_000);
  expect(alarm.short).toBe(false);
});
