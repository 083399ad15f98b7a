import { SvelteMap } from 'svelte/reactivity';
import type { ClientFrame, ServerFrame } from '../wire/frames';
import type { VoiceAddress } from '../wire/speech';
import type { Refusal } from './refusals';

type Patched = Extract<ServerFrame, { t: 'patched' }>;

export interface PatchLine {
  send(frame: ClientFrame): boolean;
  next(): number;
}

/** Groups that have one floor with another, among those that are heard. */
export class Patches {
  readonly #of = new SvelteMap<VoiceAddress, Patched>();
  readonly #asked = new Set<number>();
  readonly #line: PatchLine;
  readonly #refused: (why: Refusal) => void;

  constructor(line: PatchLine, refused: (why: Refusal) => void) {
    this.#line = line;
    this.#refused = refused;
  }

  /** With which group one is patched, and by whom. */
  of(group: VoiceAddress): Patched | undefined {
    return this.#of.get(group);
  }

  join(one: VoiceAddress, other: VoiceAddress): void {
    this.#ask({ t: 'voice_patch', n: this.#line.next(), groups: [one, other] });
  }

  part(group: VoiceAddress): void {
    this.#ask({ t: 'voice_unpatch', n: this.#line.next(), group });
  }

  #ask(frame: Extract<ClientFrame, { t: 'voice_patch' | 'voice_unpatch' }>): void {
    this.#asked.add(frame.n);
    this.#line.send(frame);
  }

  take(frame: ServerFrame): void {
    if (frame.t === 'patched') {
      if (frame.other) this.#of.set(frame.group, frame);
      else this.#of.delete(frame.group);
    } else if (frame.t === 'ok') this.#asked.delete(frame.n);
    else if (frame.t === 'error' && frame.n != null && this.#asked.delete(frame.n)) {
      this.#refused(frame);
    }
  }

  /** A group is heard no more. */
  forget(group: VoiceAddress): void {
    this.#of.delete(group);
  }

  /** The connection is lost: who joins again is told. */
  lost(): void {
    this.#of.clear();
    this.#asked.clear();
  }
}
