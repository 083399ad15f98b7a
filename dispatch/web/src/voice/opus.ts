/** Opus: the browser's own coder (WebCodecs) where it has one, else libopus in WebAssembly. */

import type { Speech } from '../wire/speech';

export const RATE = 48_000;
/** Samples come to the encoder in pieces of so many milliseconds. */
export const PIECE_MS = 20;
export const BIT_RATE = 24_000;
/** Percent of packets that the encoder reckons to be lost: so much is said twice. */
export const LOSS = 5;

export type PacketMs = Speech['milliseconds'];

export interface Encoder {
  /** A piece of 20 ms. */
  encode(samples: Float32Array<ArrayBuffer>): void;
  close(): void;
}

/** `part` comes out with the samples of the packet with which it went in. */
export interface Decoder<Part> {
  decode(opus: Uint8Array<ArrayBuffer>, part: Part): void;
  close(): void;
}

export type Said = (opus: Uint8Array<ArrayBuffer>) => void;
export type Heard<Part> = (samples: Float32Array<ArrayBuffer>, part: Part) => void;

const hasOwn = (): boolean => 'AudioDecoder' in globalThis && 'AudioEncoder' in globalThis;

/** Whether this browser can have Opus at all. */
export const possible = (): boolean => hasOwn() || 'WebAssembly' in globalThis;

/** `broken`: it encodes no more. */
export async function encoder(
  milliseconds: PacketMs,
  said: Said,
  broken: () => void,
): Promise<Encoder> {
  if (hasOwn()) return ownEncoder(milliseconds, said, broken);
  return (await import('./libopus')).encoder(milliseconds, said);
}

/** `broken`: it decodes no more. */
export async function decoder<Part>(
  heard: Heard<Part>,
  broken: () => void,
): Promise<Decoder<Part>> {
  return hasOwn() ? ownDecoder(heard, broken) : (await import('./libopus')).decoder(heard);
}

const PIECE_US = PIECE_MS * 1_000;
const CODEC = { codec: 'opus', sampleRate: RATE, numberOfChannels: 1 } as const;
const encoding = (milliseconds: PacketMs): AudioEncoderConfig => ({
  ...CODEC,
  bitrate: BIT_RATE,
  // Not in TypeScript's library yet: the Opus registration of WebCodecs.
  ...({
    opus: {
      application: 'voip',
      frameDuration: milliseconds * 1_000,
      useinbandfec: true,
      packetlossperc: LOSS,
    },
  } as object),
});

function ownEncoder(milliseconds: PacketMs, said: Said, broken: () => void): Encoder {
  const coder = new AudioEncoder({
    output: (chunk) => {
      const opus = new Uint8Array(chunk.byteLength);
      chunk.copyTo(opus);
      said(opus);
    },
    error: broken,
  });
  coder.configure(encoding(milliseconds));
  let timestamp = 0;
  return {
    encode(data) {
      if (coder.state !== 'configured') return;
      const audio = new AudioData({
        format: 'f32-planar',
        sampleRate: RATE,
        numberOfFrames: data.length,
        numberOfChannels: 1,
        timestamp,
        data,
      });
      timestamp += PIECE_US;
      coder.encode(audio);
      audio.close();
    },
    close() {
      if (coder.state !== 'closed') coder.close();
    },
  };
}

function ownDecoder<Part>(heard: Heard<Part>, broken: () => void): Decoder<Part> {
  const waiting: Part[] = [];
  const coder = new AudioDecoder({
    output: (data) => {
      const samples = new Float32Array(data.numberOfFrames);
      data.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      data.close();
      const part = waiting.shift();
      if (part !== undefined) heard(samples, part);
    },
    error: broken,
  });
  coder.configure(CODEC);
  let timestamp = 0;
  return {
    decode(data, part) {
      if (coder.state !== 'configured') return;
      waiting.push(part);
      coder.decode(new EncodedAudioChunk({ type: 'key', timestamp, data }));
      timestamp += PIECE_US;
    },
    close() {
      if (coder.state !== 'closed') coder.close();
    },
  };
}
