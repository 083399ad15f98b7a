import { Decoder, Encoder } from '@msgpack/msgpack';
import type { ClientFrame, ServerFrame } from './frames';

const encoder = new Encoder({ ignoreUndefined: true });
const decoder = new Decoder();

/** Bytes of one frame; fields that are `undefined` are left out. */
export function encode(frame: ClientFrame): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encoder.encode(frame));
}

/** One frame out of bytes, or `null` when they are no frame: the server is newer, or broken. */
export function decode(bytes: ArrayBuffer | Uint8Array): ServerFrame | null {
  let value: unknown;
  try {
    value = decoder.decode(bytes);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('t' in value)) return null;
  return typeof value.t === 'string' ? (value as ServerFrame) : null;
}
