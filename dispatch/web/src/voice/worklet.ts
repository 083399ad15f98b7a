/** In the audio thread: one talker's speech goes to the ear, or what a microphone hears to the page. */

import { Playout } from './playout';

declare const registerProcessor: (name: string, processor: unknown) => void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

/** What the page sends: samples, and how many are missing before them. */
export interface Part {
  samples: Float32Array;
  lost: number;
  last: boolean;
}

/** `end`: the talk is over. `close`: nothing is heard here any more. */
export type ToEar = Part | 'end' | 'close';

class Ear extends AudioWorkletProcessor {
  #playout = new Playout();
  /** The browser keeps a processor as long as it says that it goes on. */
  #open = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ToEar>) => {
      if (data === 'close') this.#open = false;
      else if (data === 'end') this.#playout.end();
      else this.#playout.push(data.samples, data.lost, data.last);
    };
  }

  process(_: unknown, [output]: Float32Array[][]): boolean {
    const [channel] = output ?? [];
    if (channel) this.#playout.pull(channel);
    return this.#open;
  }
}

/** Samples of 20 ms at once, since the encoder makes a packet of each. */
const FRAME = 960;

export type ToMouth = 'close';

class Mouth extends AudioWorkletProcessor {
  #frame = new Float32Array(FRAME);
  #at = 0;
  #open = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ToMouth>) => {
      if (data === 'close') this.#open = false;
    };
  }

  process([input]: Float32Array[][]): boolean {
    const [channel] = input ?? [];
    for (const sample of channel ?? []) {
      this.#frame[this.#at] = sample;
      this.#at += 1;
      if (this.#at === FRAME) {
        this.port.postMessage(this.#frame, [this.#frame.buffer]);
        this.#frame = new Float32Array(FRAME);
        this.#at = 0;
      }
    }
    return this.#open;
  }
}

registerProcessor('psn-ear', Ear);
registerProcessor('psn-mouth', Mouth);
