import { expect, test } from 'vitest';
import {
  base64,
  canonicalCode,
  codeIn,
  enrolmentContent,
  newKeys,
  publicKey,
  sign,
  signInContent,
} from './deviceKey';

const NONCE = Uint8Array.from({ length: 32 }, (_, n) => n);
const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

test('what is signed to come in is what docs/wire.md has an example of', async () => {
  // Device 9, the nonce 00 … 1f, and the key of RFC 6979 A.2.5, as the document says them.
  const key = await crypto.subtle.importKey(
    'spki',
    fromBase64(
      'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==',
    ),
    { name: 'ECDSA', namedCurve: 'P-256' },
    true,
    ['verify'],
  );
  const signature = fromBase64(
    'NjY4NEjDZxtzBy3Ybq2nQXggexnRb1vGZgjwstQdBaaulG+TpHp3Q3+GMsJgFNq3UiT528ZtiCdDGWos44drag==',
  );
  const verifies = (device: number): Promise<boolean> =>
    crypto.subtle.verify(
      { name: 'ECDSA', hash: 'SHA-256' },
      key,
      signature,
      signInContent(device, NONCE),
    );
  expect(await verifies(9)).toBe(true);
  expect(await verifies(10)).toBe(false);
});

test('a new pair signs, and its private half stays', async () => {
  const keys = await newKeys();
  const key = await publicKey(keys);
  expect(key).toHaveLength(91);
  const content = enrolmentContent('K7MP3XWDH9TQ', key);
  expect(content).toHaveLength(23 + 12 + 91);
  const signature = await sign(keys, content);
  expect(signature).toHaveLength(64);
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  expect(await crypto.subtle.verify(algorithm, keys.publicKey, signature, content)).toBe(true);
  await expect(crypto.subtle.exportKey('pkcs8', keys.privateKey)).rejects.toThrow();
});

test.each([
  ['K7MP-3XWD-H9TQ', 'K7MP3XWDH9TQ'],
  [' k7mp 3xwd h9tq ', 'K7MP3XWDH9TQ'],
  ['oIl0-0000-0000', '011000000000'],
  ['K7MP-3XWD-H9T', null],
  ['K7MP-3XWD-H9TU', null],
  ['', null],
  ['K7MP-3XWD-H9TQ-K7MP', null],
])('%s', (typed, code) => {
  expect(canonicalCode(typed)).toBe(code);
});

test('the picture that psn device enrol shows', () => {
  expect(codeIn('psn-enrol:?server=https%3A%2F%2Fpsn.example.bz&code=K7MP-3XWD-H9TQ')).toBe(
    'K7MP3XWDH9TQ',
  );
  expect(codeIn('K7MP-3XWD-H9TQ')).toBe('K7MP3XWDH9TQ');
  expect(codeIn('https://example.bz/?code=K7MP-3XWD-H9TQ')).toBeNull();
  expect(codeIn('psn-enrol:?server=x')).toBeNull();
});

test('bytes as JSON carries them', () => {
  expect(base64(Uint8Array.of(0, 255, 16))).toBe('AP8Q');
});
