import { SvelteMap } from 'svelte/reactivity';
import type { Address, ClientFrame, ServerFrame } from '../wire/frames';
import type { VoiceAddress } from '../wire/speech';
import { Passing } from './passing.svelte';
import type { Refusal } from './refusals';

type Patched = Extract<ServerFrame, { t: 'patched' }>;

export interface PatchLine {
  send(frame: ClientFrame): boolean;
  next(): number;
  me(): Address;
}

/** Two groups, by their addresses and, of the other one, by name, and who has joined them. */
export type Made = Patched & { other: VoiceAddress };

/** What somebody has joined, or what is `over` and each for itself again. */
export type News = Made & { over?: true };

/** Groups that have one floor with another, among those that are heard. */
export class Patches {
  /** What somebody else has joined lately, or what is joined no more. */
  readonly news = new Passing<News>();
  readonly #of = new SvelteMap<VoiceAddress, Made>();
  /** As it was when the connection was lost: that is no news when it comes back. */
  readonly #before = new Map<VoiceAddress, Made>();
  readonly #asked = new Set<number>();
  /** Which oneself is about to part. */
  readonly #parting = new Set<VoiceAddress>();
  readonly #line: PatchLine;
  readonly #refused: (why: Refusal) => void;
  readonly #heard: () => void;

  /** `heard`: make it heard, once, that somebody else has joined groups. */
  constructor(line: PatchLine, refused: (why: Refusal) => void, heard: () => void) {
    this.#line = line;
    this.#refused = refused;
    this.#heard = heard;
  }

  /** With which group one is patched, and by whom. */
  of(group: VoiceAddress): Made | undefined {
    return this.#of.get(group);
  }

  join(one: VoiceAddress, other: VoiceAddress): void {
    this.#ask({ t: 'voice_patch', n: this.#line.next(), groups: [one, other] });
  }

  part(group: VoiceAddress): void {
    const other = this.#of.get(group)?.other;
    for (const each of [group, other]) if (each) this.#parting.add(each);
    this.#ask({ t: 'voice_unpatch', n: this.#line.next(), group });
  }

  #ask(frame: Extract<ClientFrame, { t: 'voice_patch' | 'voice_unpatch' }>): void {
    this.#asked.add(frame.n);
    this.#line.send(frame);
  }

  /** Whether this was asked here, so that what becomes of it is told here. */
  asked(n: number): boolean {
    return this.#asked.has(n);
  }

  take(frame: ServerFrame): void {
    if (frame.t === 'patched') {
      if (frame.other) this.#made({ ...frame, other: frame.other });
      else this.#parted(frame.group);
    } else if (frame.t === 'ok') this.#asked.delete(frame.n);
    else if (frame.t === 'error' && frame.n != null && this.#asked.delete(frame.n)) {
      this.#parting.clear();
      this.#refused(frame);
    }
  }

  #made(made: Made): void {
    const before = this.#before.get(made.group);
    const known = before?.other === made.other && before.by === made.by;
    // Who hears both groups is told of each.
    const twice = this.#of.has(made.other);
    this.#of.set(made.group, made);
    if (known || twice || made.by === this.#line.me()) return;
    this.news.tell(made);
    this.#heard();
  }

  #parted(group: VoiceAddress): void {
    const made = this.#of.get(group);
    this.forget(group);
    // Who heard both groups is told of each.
    const twice = this.news.now?.over && this.news.now.other === group;
    if (this.#parting.delete(group) || !made || twice) return;
    this.news.tell({ ...made, over: true });
    this.#heard();
  }

  /** A group is heard no more. */
  forget(group: VoiceAddress): void {
    this.#of.delete(group);
    this.#before.delete(group);
    if (this.news.now?.group === group) this.news.forget();
  }

  /** The connection is lost: who joins again is told. */
  lost(): void {
    for (const [group, made] of this.#of) this.#before.set(group, made);
    this.#of.clear();
    this.#asked.clear();
    this.#parting.clear();
  }
}
