import { expect, test } from 'vitest';
import type { Assignment } from '../../wire/items';
import { sentAgain, undeliverable, whyUndeliverable } from './undeliverable';

const order = (change: Partial<Assignment> = {}): Assignment => ({
  is: 'assignment',
  id: 6,
  incident: 5,
  unit: 7,
  agency: 1,
  order: '',
  ordered: 0,
  ordered_by: '',
  contact: 0,
  ...change,
});
const refused = { refused: 5, refusal: 'id_taken' };

test('an order cannot be delivered until the crew knows, or is not to know any more', () => {
  expect(undeliverable(undefined)).toBe(false);
  expect(undeliverable(order())).toBe(false);
  expect(undeliverable(order(refused))).toBe(true);
  expect(undeliverable(order({ ...refused, acknowledged: 9 }))).toBe(false);
  expect(undeliverable(order({ ...refused, on_scene: 9 }))).toBe(false);
  expect(undeliverable(order({ ...refused, ended: 9 }))).toBe(false);
});

test('why is said in words, with what helps', () => {
  expect(whyUndeliverable(order(refused))).toBe(
    'The order cannot be delivered, since another message has its number.' +
      ' Tell the crew by radio or telephone, or send the order again.',
  );
  const words = order({ refused: 5, refusal: 'not_storable' });
  expect(sentAgain(words)).toBe(false);
  expect(whyUndeliverable(words)).toContain('with other words');
  expect(whyUndeliverable(order({ refused: 5, refusal: 'of_later' }))).toContain(
    'send the order again',
  );
});
