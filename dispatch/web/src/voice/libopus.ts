/** libopus in WebAssembly, for browsers without a coder of their own; loaded when one is needed. */

import address from '@evan/opus/wasm/opus.wasm?url';
import {
  BIT_RATE,
  LOSS,
  RATE,
  type Decoder,
  type Encoder,
  type Heard,
  type PacketMs,
  type Said,
} from './opus';

/** What libopus exports (opus.h), and its memory. Pointers are numbers. */
interface Library {
  memory: WebAssembly.Memory;
  _initialize?(): void;
  malloc(bytes: number): number;
  free(pointer: number): void;
  opus_encoder_get_size(channels: number): number;
  opus_encoder_init(coder: number, rate: number, channels: number, application: number): number;
  opus_encoder_ctl_set(coder: number, request: number, value: number): number;
  opus_encode(coder: number, pcm: number, samples: number, out: number, most: number): number;
  opus_decoder_get_size(channels: number): number;
  opus_decoder_init(coder: number, rate: number, channels: number): number;
  // prettier-ignore
  opus_decode(coder: number, data: number, bytes: number, pcm: number, samples: number, fec: number): number;
}

/** Values of opus_defines.h. */
const OPUS = { VOIP: 2048, SET_BITRATE: 4002, SET_INBAND_FEC: 4012, SET_PACKET_LOSS: 4014 };
const MOST_BYTES = 1_276;
/** Of the longest packet, 120 ms. */
const MOST_SAMPLES = (RATE * 120) / 1_000;
const LOUDEST = 32_768;

let loaded: Promise<Library> | undefined;

/** One library for the page: it has as many coders as are needed. */
function library(): Promise<Library> {
  loaded ??= load().catch((problem: unknown) => {
    loaded = undefined;
    throw problem;
  });
  return loaded;
}

async function load(): Promise<Library> {
  // What a C program asks of its system, and nothing here needs.
  const nothing = (): number => 0;
  const { instance } = await WebAssembly.instantiateStreaming(fetch(address), {
    env: { emscripten_notify_memory_growth: nothing },
    wasi_snapshot_preview1: {
      proc_exit: nothing,
      fd_close: nothing,
      fd_write: nothing,
      fd_seek: nothing,
    },
  });
  const made = instance.exports as unknown as Library;
  made._initialize?.();
  return made;
}

/** Somewhere in the library's memory: packets, samples, and a coder. */
class Place {
  readonly coder: number;
  readonly packet: number;
  readonly pcm: number;
  readonly #lib: Library;

  constructor(lib: Library, size: number) {
    this.#lib = lib;
    this.coder = lib.malloc(size);
    this.packet = lib.malloc(MOST_BYTES);
    this.pcm = lib.malloc(MOST_SAMPLES * 2);
  }

  // Views are made anew each time: memory that grows takes the old ones away.
  bytes(length: number): Uint8Array {
    return new Uint8Array(this.#lib.memory.buffer, this.packet, length);
  }

  samples(length: number): Int16Array {
    return new Int16Array(this.#lib.memory.buffer, this.pcm, length);
  }

  free(): void {
    for (const each of [this.coder, this.packet, this.pcm]) this.#lib.free(each);
  }
}

function check(result: number): number {
  if (result < 0) throw new Error(`libopus: ${result}`);
  return result;
}

export async function encoder(milliseconds: PacketMs, said: Said): Promise<Encoder> {
  const lib = await library();
  const place = new Place(lib, lib.opus_encoder_get_size(1));
  const { coder, pcm, packet } = place;
  check(lib.opus_encoder_init(coder, RATE, 1, OPUS.VOIP));
  check(lib.opus_encoder_ctl_set(coder, OPUS.SET_BITRATE, BIT_RATE));
  check(lib.opus_encoder_ctl_set(coder, OPUS.SET_INBAND_FEC, 1));
  check(lib.opus_encoder_ctl_set(coder, OPUS.SET_PACKET_LOSS, LOSS));
  const full = (RATE * milliseconds) / 1_000;
  let filled = 0;
  let open = true;
  return {
    encode(samples) {
      if (!open) return;
      const scaled = samples.map((each) =>
        Math.max(-LOUDEST, Math.min(LOUDEST - 1, Math.round(each * LOUDEST))),
      );
      place.samples(full).set(scaled, filled);
      filled += samples.length;
      if (filled < full) return;
      filled = 0;
      const bytes = check(lib.opus_encode(coder, pcm, full, packet, MOST_BYTES));
      said(new Uint8Array(place.bytes(bytes)));
    },
    close() {
      if (open) place.free();
      open = false;
    },
  };
}

export async function decoder<Part>(heard: Heard<Part>): Promise<Decoder<Part>> {
  const lib = await library();
  const place = new Place(lib, lib.opus_decoder_get_size(1));
  const { coder, pcm, packet } = place;
  check(lib.opus_decoder_init(coder, RATE, 1));
  let open = true;
  return {
    decode(opus, part) {
      if (!open || opus.length > MOST_BYTES) return;
      place.bytes(opus.length).set(opus);
      const samples = lib.opus_decode(coder, packet, opus.length, pcm, MOST_SAMPLES, 0);
      // What is no packet of Opus is silence: the next one is heard again.
      if (samples < 0) return;
      heard(
        Float32Array.from(place.samples(samples), (each) => each / LOUDEST),
        part,
      );
    },
    close() {
      if (open) place.free();
      open = false;
    },
  };
}
