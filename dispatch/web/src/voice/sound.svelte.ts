/** Loudspeaker and microphone: Opus in and out (opus.ts), samples by an AudioWorklet. */

import worklet from './worklet?worker&url';
import * as opus from './opus';
import type { Part, ToEar, ToMouth } from './worklet';

/** Why a browser cannot talk, or not hear. */
export type Lack =
  'no_opus' | 'not_allowed' | 'no_microphone' | 'microphone_busy' | 'no_sound' | 'insecure';

/** One talker's way to the ear. */
export interface Channel {
  /** A packet has come; so many samples before it are missing. */
  hear(opus: Uint8Array<ArrayBuffer>, lost: number, last: boolean): void;
  /** The talk is over. */
  end(): void;
  /** 0 … 1. */
  loudness(value: number): void;
  /** −1 left … 1 right. */
  side(value: number): void;
  close(): void;
}

/** What is said goes out from it until it is closed. */
export interface Microphone {
  /** Say an attention tone instead of what is spoken; resolves when it is said, or closed. */
  alert(): Promise<void>;
  close(): void;
}

/** Two pitches (Hz) in turn, each for so many seconds, so often: heard through engines and wind. */
const ALERT = { pitches: [1_000, 1_500], each: 0.125, times: 8, loudness: 0.5 };
/** Of this loudness who sends it hears it too. */
const SIDETONE = 0.15;

/** The audio of a page: made at the first need, since browsers play nothing before a key or click. */
export class Sound {
  /** The browser waits for a key or click before it plays anything. */
  blocked = $state(false);
  #context: AudioContext | null = null;
  #ready: Promise<AudioContext> | null = null;

  /** What this browser lacks for voice; `null`: nothing. */
  lacking(): Lack | null {
    if (!isSecureContext) return 'insecure';
    return opus.possible() ? null : 'no_opus';
  }

  /** The context, running as soon as the browser lets it. */
  open(): Promise<AudioContext> {
    this.#ready ??= this.#begin().catch((problem: unknown) => {
      // Whoever needs it next tries anew.
      this.#ready = null;
      throw problem;
    });
    void this.#context?.resume();
    return this.#ready;
  }

  async #begin(): Promise<AudioContext> {
    const context = (this.#context = new AudioContext({ sampleRate: opus.RATE }));
    try {
      await context.audioWorklet.addModule(worklet);
    } catch (problem) {
      this.#context = null;
      void context.close();
      throw problem;
    }
    const look = (): void => void (this.blocked = context.state !== 'running');
    context.onstatechange = look;
    look();
    return context;
  }

  /** Way to the ear for one talker; `broken`: this one will hear no more. */
  async channel(broken: () => void): Promise<Channel> {
    const context = await this.open();
    const ear = new AudioWorkletNode(context, 'psn-ear', {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    const volume = context.createGain();
    const side = context.createStereoPanner();
    ear.connect(volume).connect(side).connect(context.destination);
    const tell = (what: ToEar, ...given: ArrayBuffer[]): void => ear.port.postMessage(what, given);
    /** What goes with the packet that is not decoded yet. */
    let pending: Omit<Part, 'samples'> | null = null;
    const decoder = await opus.decoder<Omit<Part, 'samples'>>((samples, part) => {
      if (pending === part) pending = null;
      tell({ samples, ...part }, samples.buffer);
    }, broken);
    return {
      hear(packet, lost, last) {
        // What nobody hears now is not kept for later.
        if (context.state !== 'running') return;
        decoder.decode(packet, (pending = { lost, last }));
      },
      end() {
        if (pending) pending.last = true;
        else tell('end');
      },
      loudness: (value) => (volume.gain.value = value),
      side: (value) => (side.pan.value = value),
      close() {
        decoder.close();
        tell('close');
        ear.disconnect();
        side.disconnect();
      },
    };
  }

  /** A short tone: what became of a wish to talk. */
  async tone(pitches: readonly number[], loudness = 0.12): Promise<void> {
    const context = await this.open();
    pitches.forEach((pitch, at) => {
      const begin = context.currentTime + at * 0.09;
      const source = context.createOscillator();
      const volume = context.createGain();
      source.frequency.value = pitch;
      // Ramps, because a tone that is cut clicks.
      volume.gain.setValueAtTime(0, begin);
      volume.gain.linearRampToValueAtTime(loudness, begin + 0.01);
      volume.gain.setValueAtTime(loudness, begin + 0.06);
      volume.gain.linearRampToValueAtTime(0, begin + 0.08);
      source.connect(volume).connect(context.destination);
      source.start(begin);
      source.stop(begin + 0.09);
    });
  }

  /** Listen to the microphone; packets of so many milliseconds go to `said` until it is closed. */
  async microphone(
    milliseconds: opus.PacketMs,
    said: (opus: Uint8Array<ArrayBuffer>) => void,
    lost: (lack: Lack) => void,
  ): Promise<Microphone> {
    const context = await this.open();
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: {
        channelCount: 1,
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
      },
    });
    try {
      return await listen(context, stream, milliseconds, said, lost);
    } catch (problem) {
      stop(stream);
      throw problem;
    }
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

async function listen(
  context: AudioContext,
  stream: MediaStream,
  milliseconds: opus.PacketMs,
  said: (opus: Uint8Array<ArrayBuffer>) => void,
  lost: (lack: Lack) => void,
): Promise<Microphone> {
  const encoder = await opus.encoder(milliseconds, said, () => lost('no_opus'));
  const source = context.createMediaStreamSource(stream);
  const mouth = new AudioWorkletNode(context, 'psn-mouth', { numberOfOutputs: 0 });
  mouth.port.onmessage = ({ data }: MessageEvent<Float32Array<ArrayBuffer>>) =>
    encoder.encode(data);
  for (const track of stream.getTracks()) track.onended = () => lost('no_microphone');
  source.connect(mouth);
  return {
    async alert() {
      source.disconnect();
      await alertTone(context, mouth);
      source.connect(mouth);
    },
    close() {
      source.disconnect();
      mouth.port.onmessage = null;
      mouth.port.postMessage('close' satisfies ToMouth);
      stop(stream);
      encoder.close();
    },
  };
}

/** An attention tone into a talk, and softly to who sends it. */
function alertTone(context: AudioContext, mouth: AudioNode): Promise<void> {
  const { pitches, each, times, loudness } = ALERT;
  const tone = context.createOscillator();
  const said = context.createGain();
  const heard = context.createGain();
  said.gain.value = loudness;
  heard.gain.value = SIDETONE;
  const begin = context.currentTime;
  for (let at = 0; at < times; at += 1)
    tone.frequency.setValueAtTime(pitches[at % pitches.length] ?? 0, begin + at * each);
  tone.connect(said).connect(mouth);
  tone.connect(heard).connect(context.destination);
  tone.start(begin);
  tone.stop(begin + times * each);
  return new Promise((resolve) => {
    tone.onended = () => {
      said.disconnect();
      heard.disconnect();
      resolve();
    };
  });
}

/** Why sound or a microphone could not be opened, in a word. */
export function lackOf(problem: unknown): Lack {
  const name = problem instanceof DOMException ? problem.name : '';
  return LACKS[name] ?? 'no_sound';
}

/** What getUserMedia (Media Capture, section 10.2) and WebCodecs call it. */
const LACKS: Record<string, Lack> = {
  NotAllowedError: 'not_allowed',
  SecurityError: 'not_allowed',
  NotFoundError: 'no_microphone',
  OverconstrainedError: 'no_microphone',
  NotReadableError: 'microphone_busy',
  AbortError: 'microphone_busy',
  NotSupportedError: 'no_opus',
};
