import type { Talker } from '../wire/frames';
import { missing, type Speech, type VoiceAddress } from '../wire/speech';
import type { Channel, Sound } from './sound.svelte';

/** How a group is heard here. */
export interface Hearing {
  group: VoiceAddress;
  /** Where the slider stands, 0 … 1. */
  loudness: number;
  muted: boolean;
  /** −1 left, 0 both, 1 right. */
  side: number;
}

interface Ear {
  group: VoiceAddress;
  talker: Talker;
  channel: Promise<Channel>;
  /** The number of the frame that came last; `null`: of this talk none. */
  number: number | null;
  closing: ReturnType<typeof setTimeout> | undefined;
}

const SAMPLES_A_MS = 48;
/** Milliseconds after a talk in which its ear is kept: who has talked often talks again soon. */
const KEPT = 10_000;

/** One way to the ear for each talker in each group, as long as he talks and a little longer. */
export class Ears {
  #sound: Pick<Sound, 'channel'>;
  #trouble: (problem: unknown) => void;
  #ears = new Map<string, Ear>();

  /** `trouble`: nothing can be heard for now. */
  constructor(sound: Pick<Sound, 'channel'>, trouble: (problem: unknown) => void) {
    this.#sound = sound;
    this.#trouble = trouble;
  }

  hear({ group, talker, number, milliseconds, last, opus }: Speech, hearing: Hearing): void {
    const key = `${talker} ${group}`;
    const ear = this.#ears.get(key) ?? this.#open(key, group, talker, hearing);
    clearTimeout(ear.closing);
    // A talk whose end nobody told.
    if (number === 0 && ear.number !== null) this.#tell(ear, (channel) => channel.end());
    const lost = number === 0 || ear.number === null ? 0 : missing(ear.number, number);
    ear.number = number;
    const samples = lost * milliseconds * SAMPLES_A_MS;
    this.#tell(ear, (channel) => channel.hear(opus, samples, last));
    if (last) this.#over(key, ear);
  }

  /** Nobody talks in a group any more, but perhaps one. */
  ended(group: VoiceAddress, talker?: Talker): void {
    for (const [key, ear] of this.#ears) {
      if (ear.group !== group || ear.talker === talker || ear.number === null) continue;
      this.#tell(ear, (channel) => channel.end());
      this.#over(key, ear);
    }
  }

  /** Nobody talks anywhere, as far as is known. */
  lost(): void {
    for (const group of new Set([...this.#ears.values()].map((ear) => ear.group)))
      this.ended(group);
  }

  tune(hearing: Hearing): void {
    for (const ear of this.#ears.values())
      if (ear.group === hearing.group) this.#tell(ear, (channel) => tune(channel, hearing));
  }

  /** A group is not heard any more; without one, nothing is. */
  close(group?: VoiceAddress): void {
    for (const [key, ear] of this.#ears)
      if (group === undefined || ear.group === group) this.#close(key, ear);
  }

  #open(key: string, group: VoiceAddress, talker: Talker, hearing: Hearing): Ear {
    const channel = this.#sound.channel(() => this.#close(key, ear));
    const ear: Ear = { group, talker, channel, number: null, closing: undefined };
    this.#ears.set(key, ear);
    this.#tell(ear, (made) => tune(made, hearing));
    channel.catch((problem: unknown) => {
      this.#close(key, ear);
      this.#trouble(problem);
    });
    return ear;
  }

  #over(key: string, ear: Ear): void {
    ear.number = null;
    clearTimeout(ear.closing);
    ear.closing = setTimeout(() => this.#close(key, ear), KEPT);
  }

  /** Forget it: whoever talks on gets a new one. */
  #close(key: string, ear: Ear): void {
    clearTimeout(ear.closing);
    if (this.#ears.get(key) === ear) this.#ears.delete(key);
    this.#tell(ear, (channel) => channel.close());
  }

  #tell(ear: Ear, what: (channel: Channel) => void): void {
    // Whether it came about is watched where it is opened.
    ear.channel.then(what, () => undefined);
  }
}

function tune(channel: Channel, { loudness, muted, side }: Hearing): void {
  // Ears hear ratios: half way on the slider is to sound about half as loud (−12 dB).
  channel.loudness(muted ? 0 : loudness ** 2);
  channel.side(side);
}
