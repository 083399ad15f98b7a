import { expect, test } from 'vitest';
import { COUNTDOWN, RedButton } from './redButton';

test('held for a second and a half it counts down, and then it is an emergency, once', () => {
  const button = new RedButton();
  button.down(0);
  expect(button.tick(1_499)).toBe(false);
  expect(button.stage).toBe('holding');
  expect(button.tick(1_500)).toBe(false);
  expect(button.stage).toBe('counting');
  expect(button.up(1_600)).toBe(false);
  expect(button.tick(1_500 + COUNTDOWN - 1)).toBe(false);
  expect(button.tick(1_500 + COUNTDOWN)).toBe(true);
  expect(button.tick(1_500 + COUNTDOWN)).toBe(false);
});

test('a touch by mistake is nothing', () => {
  const button = new RedButton();
  button.down(0);
  expect(button.up(400)).toBe(true);
  expect(button.stage).toBe('rest');
  expect(button.up(500)).toBe(false);
  button.down(1_000);
  button.up(1_100);
  expect(button.tick(9_000)).toBe(false);
  button.down(9_000);
  expect(button.stage).toBe('holding');
});

test('three presses do too', () => {
  const button = new RedButton();
  for (const at of [0, 400]) {
    button.down(at);
    button.up(at + 100);
  }
  button.down(800);
  expect(button.stage).toBe('counting');
});

test('what is cancelled is no emergency', () => {
  const button = new RedButton();
  button.count(0);
  button.cancel();
  expect(button.tick(COUNTDOWN)).toBe(false);
  expect(button.held(0)).toBe(0);
});

test('after a restart it goes on counting, and can be cancelled', () => {
  const button = new RedButton();
  button.resume(3_000, 1_000);
  expect(button.stage).toBe('counting');
  expect(button.tick(2_999)).toBe(false);
  expect(button.tick(3_000)).toBe(true);
  button.resume(6_000, 4_000);
  button.cancel();
  expect(button.tick(6_000)).toBe(false);
});

test('a restart that took longer than the countdown makes it an emergency at once', () => {
  const button = new RedButton();
  button.resume(-60_000, 0);
  expect(button.tick(0)).toBe(true);
});

test('a clock that was set back in between does not draw the countdown out', () => {
  const button = new RedButton();
  button.resume(3_600_000, 0);
  expect(button.tick(COUNTDOWN)).toBe(true);
});
