import { expect, test } from 'vitest';
import { COUNTDOWN, RedButton } from './redButton';

test('held for a second and a half it counts down, and then it is an emergency, once', () => {
  const button = new RedButton();
  button.down(0);
  expect(button.tick(1_499)).toBe(false);
  expect(button.stage).toBe('holding');
  expect(button.tick(1_500)).toBe(false);
  expect(button.stage).toBe('counting');
  button.up(1_600);
  expect(button.tick(1_500 + COUNTDOWN - 1)).toBe(false);
  expect(button.tick(1_500 + COUNTDOWN)).toBe(true);
  expect(button.tick(1_500 + COUNTDOWN)).toBe(false);
});

test('a touch by mistake is nothing', () => {
  const button = new RedButton();
  button.down(0);
  button.up(400);
  expect(button.stage).toBe('rest');
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
