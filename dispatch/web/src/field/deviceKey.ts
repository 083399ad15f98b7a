/** The device's half of docs/wire.md, "Devices and their keys". */

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNED = { name: 'ECDSA', hash: 'SHA-256' } as const;
const SIGN_IN = 'psn device sign-in 1\n';
const ENROLMENT = 'psn device enrolment 1\n';
type Bytes = Uint8Array<ArrayBuffer>;

/** A pair whose private half cannot be taken out of this browser. */
export function newKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
}

/** SubjectPublicKeyInfo in DER, 91 bytes. */
export async function publicKey(keys: CryptoKeyPair): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.exportKey('spki', keys.publicKey));
}

/** 64 bytes: r and s. */
export async function sign(keys: CryptoKeyPair, content: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign(SIGNED, keys.privateKey, content));
}

/** What is signed to come in: 61 bytes. */
export function signInContent(device: number, nonce: Uint8Array): Bytes {
  const number = new DataView(new ArrayBuffer(8));
  number.setBigUint64(0, BigInt(device));
  return joined(ascii(SIGN_IN), new Uint8Array(number.buffer), nonce);
}

/** What is signed to spend a code: 126 bytes. */
export function enrolmentContent(code: string, key: Uint8Array): Bytes {
  return joined(ascii(ENROLMENT), ascii(code), key);
}

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 12;

/** The one form of a code, however it was typed; null when it can be none. */
export function canonicalCode(typed: string): string | null {
  const code = typed.toUpperCase().replace(/[\s-]/g, '').replace(/[IL]/g, '1').replace(/O/g, '0');
  const fits = code.length === LENGTH && [...code].every((letter) => LETTERS.includes(letter));
  return fits ? code : null;
}

/** The code in a picture (`psn-enrol:?server=…&code=…`), or in what stands there alone. */
export function codeIn(text: string): string | null {
  const [, asked] = /^psn-enrol:\??(.*)$/.exec(text.trim()) ?? [];
  return canonicalCode(asked === undefined ? text : (new URLSearchParams(asked).get('code') ?? ''));
}

/** As JSON carries bytes (RFC 4648 §4). */
export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function ascii(text: string): Bytes {
  return new TextEncoder().encode(text) as Bytes;
}

function joined(...parts: Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
