import { encode as pack } from '@msgpack/msgpack';
import { expect, test } from 'vitest';
import { decode, encode } from './codec';

test('a frame comes back as it went, without the fields that are undefined', () => {
  const bytes = encode({ t: 'ping', n: 7 });
  expect(decode(bytes)).toEqual({ t: 'ping', n: 7 });
  const hello = encode({ t: 'hello', v: 1, client: 'x', caps: undefined as unknown as string[] });
  expect(decode(hello)).toEqual({ t: 'hello', v: 1, client: 'x' });
});

test('milliseconds travel as an integer, not as a float', () => {
  const bytes = encode({
    t: 'message',
    id: 'x',
    to: ['person:1'],
    text: 'a',
    expires: 1_790_000_000_000,
  });
  expect([...bytes]).toContain(0xcf); // uint 64
  expect([...bytes]).not.toContain(0xcb); // float 64
});

test('what is no frame is passed over', () => {
  expect(decode(new Uint8Array([0xc1]))).toBeNull();
  expect(decode(new Uint8Array([]))).toBeNull();
  expect(decode(pack([1, 2]))).toBeNull();
  expect(decode(pack({ t: 5 }))).toBeNull();
});
