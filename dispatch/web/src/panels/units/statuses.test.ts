import { expect, test } from 'vitest';
import { assigned, following, ringOf, sendable } from './statuses';

test('without an assignment any other of the four may be said', () => {
  expect(following('busy')).toEqual(['available', 'out_of_service', 'off_duty']);
  expect(following('off_duty')).toEqual(['available', 'busy', 'out_of_service']);
});

test('with an assignment a later step or clear, never an earlier one', () => {
  expect(following('ordered')).toEqual(['acknowledged', 'en_route', 'on_scene', 'clear']);
  expect(following('en_route')).toEqual(['on_scene', 'clear']);
  expect(following('on_scene')).toEqual(['clear']);
});

test('who is free may be sent; who is away is marked on the map, and so is who is on the way', () => {
  expect([sendable('available'), sendable('busy'), sendable('off_duty')]).toEqual([
    true,
    true,
    false,
  ]);
  expect([assigned('ordered'), assigned('busy')]).toEqual([true, false]);
  expect([ringOf('available'), ringOf('ordered'), ringOf('en_route'), ringOf('on_scene')]).toEqual([
    0, 1, 2, 3,
  ]);
  expect([ringOf('off_duty'), ringOf(undefined)]).toEqual([4, 0]);
});
