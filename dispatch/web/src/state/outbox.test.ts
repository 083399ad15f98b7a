import { expect, test } from 'vitest';
import { newId, Outbox, type Waiting } from './outbox';
import { Shelf } from './storage';

const one: Waiting = { id: 'a', to: ['unit:7'], text: 'go', priority: 'immediate', time: 1 };

function storage(full = false): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const kept = new Map<string, string>();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => {
      if (full) throw new Error('QuotaExceededError');
      kept.set(key, value);
    },
    removeItem: (key) => void kept.delete(key),
  };
}

test('what waits survives a reload, for this account only', () => {
  const place = storage();
  const outbox = new Outbox();
  outbox.add(one);
  outbox.add({ ...one, id: 'b' });
  expect(new Shelf('person:1', place).set('outbox', outbox.waiting)).toBe(true);
  const again = new Outbox(new Shelf('person:1', place).get<Waiting[]>('outbox', []));
  expect(again.waiting.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(new Shelf('person:2', place).get('outbox', [])).toEqual([]);
});

test('a full storage and a broken entry are told, not thrown', () => {
  expect(new Shelf('x', storage(true)).set('outbox', [])).toBe(false);
  const place = storage();
  place.setItem('psn:x:outbox', '{"broken');
  expect(new Shelf('x', place).get('outbox', 'nothing')).toBe('nothing');
});

test('an acknowledged message leaves, the others stay in order', () => {
  const outbox = new Outbox([one, { ...one, id: 'b' }, { ...one, id: 'c' }]);
  expect(outbox.remove('b')).toBe(true);
  expect(outbox.remove('b')).toBe(false);
  expect(outbox.waiting.map(({ id }) => id)).toEqual(['a', 'c']);
});

test('the frame carries what the wire knows and nothing else', () => {
  expect(Outbox.frame({ ...one, problem: 'x' })).toEqual({
    t: 'message',
    id: 'a',
    to: ['unit:7'],
    text: 'go',
    priority: 'immediate',
  });
});

test('an id is a version 4 UUID', () => {
  const id = newId((bytes) => bytes.fill(0xff));
  expect(id).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
});
