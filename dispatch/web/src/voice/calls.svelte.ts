import { SvelteMap } from 'svelte/reactivity';
import type { Address, ClientFrame, ServerFrame } from '../wire/frames';
import type { VoiceAddress } from '../wire/speech';
import type { Refusal } from './refusals';

type Called = Extract<ServerFrame, { t: 'called' }>;

export interface Missed {
  by: Address;
  who: string;
  /** When it rang no more, in milliseconds since 1970. */
  at: number;
}

export interface CallLine {
  send(frame: ClientFrame): boolean;
  next(): number;
  me(): Address;
}

/** What a call needs of the radio: it is a voice group like any other once one is in it. */
export interface Groups {
  readonly heard: { has(group: VoiceAddress): boolean };
  join(group: VoiceAddress): void;
  /** Make it heard that somebody calls, once. */
  ring(): void;
}

export const isCall = (group: VoiceAddress): boolean => group.startsWith('call:');

const RING_EVERY = 3_000;

/** Calls between some, for once: those that ring here, and those that one is in. */
export class PrivateCalls {
  /** Somebody calls; nobody has taken it here. */
  readonly ringing = new SvelteMap<VoiceAddress, Called>();
  /** Why the last call came to nothing, or is over. */
  told = $state.raw<Refusal | null>(null);
  /** Who has called here and found nobody, the last first; each once. */
  missed = $state.raw<readonly Missed[]>([]);
  /** Calls that were taken here or begun, also those that one has left since. */
  readonly #taken = new SvelteMap<VoiceAddress, Called>();
  readonly #line: CallLine;
  readonly #groups: Groups;
  /** Number of one's own request to call. */
  #asked: number | null = null;
  #bell: ReturnType<typeof setInterval> | undefined;

  constructor(line: CallLine, groups: Groups) {
    this.#line = line;
    this.#groups = groups;
  }

  /** Calls that one is in. */
  within = $derived.by<readonly VoiceAddress[]>(() =>
    [...this.#taken.keys()].filter((group) => this.#groups.heard.has(group)),
  );

  /** `byRadio`: by the radios that units carry, whether their tablets are connected or not. */
  call(to: Address[], byRadio = false): void {
    this.told = null;
    this.#asked = this.#line.next();
    const how = byRadio ? { by_radio: true } : {};
    this.#line.send({ t: 'voice_call', n: this.#asked, to, ...how });
  }

  answer(group: VoiceAddress): void {
    const call = this.ringing.get(group);
    if (!call) return;
    this.ringing.delete(group);
    this.#listen();
    this.missed = this.#missedBut([call.by]);
    this.#taken.set(group, call);
    this.#groups.join(group);
  }

  decline(group: VoiceAddress): void {
    if (!this.ringing.delete(group)) return;
    this.#listen();
    this.#line.send({ t: 'voice_leave', n: this.#line.next(), group });
  }

  /** End a call for all who are in it: who began it may. */
  close(group: VoiceAddress): void {
    this.#line.send({ t: 'voice_close', n: this.#line.next(), group });
  }

  /** Whether one has called several, so that the call goes on without oneself. */
  mineWithSeveral(group: VoiceAddress): boolean {
    const call = this.#taken.get(group);
    return call?.by === this.#line.me() && call.to.length > 1;
  }

  /** Who began a call that one is in, by name. */
  by(group: VoiceAddress): string | undefined {
    return this.#taken.get(group)?.by_name;
  }

  /** Whom a call is with, by addresses: all but oneself. */
  others(group: VoiceAddress): Address[] {
    const call = this.#taken.get(group) ?? this.ringing.get(group);
    return call ? [call.by, ...call.to].filter((each) => each !== this.#line.me()) : [];
  }

  /** Whether this was asked here, so that what becomes of it is told here. */
  asked(n: number): boolean {
    return n === this.#asked;
  }

  take(frame: ServerFrame): void {
    if (frame.t === 'called') this.#called(frame);
    else if (frame.t === 'voice_gone') this.#over(frame);
    else if (frame.t === 'error' && frame.n != null && frame.n === this.#asked) {
      this.#asked = null;
      this.told = frame;
    }
  }

  #called(frame: Called): void {
    if (frame.by !== this.#line.me()) {
      this.ringing.set(frame.group, frame);
      this.#listen();
      return;
    }
    this.#asked = null;
    this.missed = this.#missedBut(frame.to);
    this.#taken.set(frame.group, frame);
    this.#groups.join(frame.group);
  }

  #over(frame: Extract<ServerFrame, { t: 'voice_gone' }>): void {
    const rang = this.ringing.get(frame.group);
    this.ringing.delete(frame.group);
    this.#listen();
    if (rang && frame.code !== 'answered_elsewhere') {
      const missed = { by: rang.by, who: rang.by_name, at: Date.now() };
      this.missed = [missed, ...this.#missedBut([rang.by])];
    } else if (this.#taken.delete(frame.group) || rang) {
      this.told = frame;
    }
  }

  #missedBut(callers: readonly Address[]): readonly Missed[] {
    return this.missed.filter(({ by }) => !callers.includes(by));
  }

  /** A call cannot be joined any more: it has ended while nothing came here. */
  tooLate(group: VoiceAddress): void {
    if (this.#taken.delete(group)) this.told = { code: 'call_over' };
  }

  /** The connection is lost, or one goes: whoever rang is not heard of unless it rings again. */
  lost(): void {
    this.ringing.clear();
    this.#listen();
    this.#asked = null;
  }

  /** It rings as long as somebody waits. */
  #listen(): void {
    if (this.ringing.size === 0) {
      clearInterval(this.#bell);
      this.#bell = undefined;
    } else if (this.#bell === undefined) {
      this.#bell = setInterval(() => this.#groups.ring(), RING_EVERY);
      this.#groups.ring();
    }
  }
}
