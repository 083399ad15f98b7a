import { beforeEach, expect, test, vi } from 'vitest';
import { keepKnownPlace, knownPlace } from './known';

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
  });
});

test('each name has its own', () => {
  keepKnownPlace('ana', 'a');
  keepKnownPlace('ben', 'b');
  keepKnownPlace('ana', 'a2');
  expect([knownPlace('ana'), knownPlace('ben'), knownPlace('cyd')]).toEqual(['a2', 'b', undefined]);
});

test('of very many names the newest are kept', () => {
  for (let n = 0; n < 200; n++) keepKnownPlace(`name ${n}`, `${n}`);
  expect(knownPlace('name 199')).toBe('199');
  expect(knownPlace('name 100')).toBeUndefined();
});

test('storage that is spoilt or forbidden makes a stranger and no crash', () => {
  localStorage.setItem('psn:known', '{spoilt');
  expect(knownPlace('ana')).toBeUndefined();
  vi.stubGlobal('localStorage', {
    getItem: () => {
      throw new Error('no');
    },
    setItem: () => {
      throw new Error('no');
    },
  });
  keepKnownPlace('ana', 'a');
  expect(knownPlace('ana')).toBeUndefined();
});
