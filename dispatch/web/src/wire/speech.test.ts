import { expect, test } from 'vitest';
import { decodeSpeech, encodeSpeech, isSpeech, missing, type Speech } from './speech';

const speech: Speech = {
  group: 'incident:12',
  talker: 'unit:7',
  number: 65_535,
  milliseconds: 40,
  last: true,
  opus: new Uint8Array([1, 2, 3]),
};

test('a frame is the bytes that docs/wire.md says', () => {
  const made = encodeSpeech({
    ...speech,
    group: 'group:2',
    number: 0,
    milliseconds: 20,
    last: false,
  });
  expect([...made]).toEqual([0xc1, 1, 0, 0, 0, 0, 0, 2, 0x80, 0, 0, 7, 1, 2, 3]);
});

test.each([
  speech,
  { ...speech, group: 'call:1073741823' as const },
  { ...speech, talker: 'person:1073741823' as const, milliseconds: 60 as const, last: false },
  { ...speech, talker: 'device:9' as const },
  { ...speech, talker: 'agency:6' as const },
])('what is written is read', (one) => {
  expect(decodeSpeech(encodeSpeech(one).buffer)).toEqual(one);
});

test.each([
  [],
  [0xc1],
  [0x82, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 7, 1],
  [0xc1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 7, 1],
  [0xc1, 1, 0, 0, 0xc0, 0, 0, 2, 0, 0, 0, 7, 1],
  [0xc1, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 7],
  [0xc1, 1, ...Array<number>(2_000).fill(0)],
])('what is none is not read', (...bytes) => {
  expect(decodeSpeech(new Uint8Array(bytes).buffer)).toBeNull();
});

test('other frames are told from speech', () => {
  expect(isSpeech(new Uint8Array([0x82, 0xa1]).buffer)).toBe(false);
  expect(isSpeech(new ArrayBuffer(0))).toBe(false);
});

test.each([
  [0, 1, 0],
  [0, 4, 3],
  [65_535, 0, 0],
  [65_534, 2, 3],
  [5, 5, 0],
  [5, 3, 0],
])('from %i to %i so many are missing: %i', (before, now, many) => {
  expect(missing(before, now)).toBe(many);
});
