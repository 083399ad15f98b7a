import { SvelteMap } from 'svelte/reactivity';
import type { Address, ClientFrame, Floor, FloorYours, Reached, ServerFrame } from '../wire/frames';
import { encodeSpeech, type Speech, type VoiceAddress } from '../wire/speech';
import { isCall, PrivateCalls } from './calls.svelte';
import { Ears, type Hearing } from './ears';
import { packetMs } from './pace';
import { Passing } from './passing.svelte';
import { Patches } from './patches.svelte';
import type { Refusal } from './refusals';
import { Saying } from './saying';
import { lackOf, type Lack, type Microphone, type Sound } from './sound.svelte';

export interface RadioLine {
  send(frame: ClientFrame): boolean;
  sendSpeech(frame: Uint8Array<ArrayBuffer>): boolean;
  next(): number;
  live(): boolean;
  /** The last round trip, ms; `null`: none was measured. */
  latency(): number | null;
  /** Oneself. */
  me(): Address;
}

/** What holds a talk: the key, a button, a headset, one finger or mouse, or nobody for a while. */
export type Hold = 'key' | 'button' | 'headset' | `pointer ${number}` | 'open';

export type Wish = 'asked' | 'queued' | 'granted';

/** One's own wish to talk, or talk. */
export interface Talk {
  group: VoiceAddress;
  wish: Wish;
  call: 'normal' | 'peril' | 'emergency';
  position: number;
  /** It waits for a radio, which nobody can interrupt. */
  forRadio: boolean;
  /** The server's time until which one may talk, ms UTC; 0 before it is granted. */
  until: number;
  /** The time is nearly over. */
  warned: boolean;
  /** An attention tone comes first, and is not said yet. */
  alert: boolean;
  /** Nobody holds it: the microphone is open for a while. */
  open: boolean;
}

/** How somebody wants to talk: normally, and without an attention tone, unless he says otherwise. */
export type How = Partial<Pick<Talk, 'call' | 'alert'>>;

/** A microphone that nobody holds is open for so long, from the moment when it is heard. */
export const OPEN_MS = 10_000;

/**
 * Two notes up: granted. Two down: lost. Three low: denied. Two alike: groups were joined. Somebody
 * calls: a telephone's.
 */
const TONES = {
  granted: [660, 880],
  lost: [880, 587],
  denied: [330, 330, 330],
  joined: [698, 698],
  ringing: [784, 988, 784, 988],
} as const;

/** The voice groups that this page hears, who talks in them, and one's own talking. */
export class Radio {
  /** Groups that are heard, as they were chosen. */
  readonly heard = new SvelteMap<VoiceAddress, Hearing>();
  readonly floors = new SvelteMap<string, Floor>();
  /** Groups that radios do not hear now as others do, and why. */
  readonly reach = new SvelteMap<VoiceAddress, Exclude<Reached, 'heard'>>();
  readonly calls: PrivateCalls;
  readonly patches: Patches;
  talk = $state.raw<Talk | null>(null);
  lack = $state.raw<Lack | null>(null);
  #refusal = new Passing<Refusal>();
  #line: RadioLine;
  #sound: Sound;
  #keep: (heard: Hearing[]) => void;
  #ears: Ears;
  #microphone: Microphone | null = null;
  /** Groups that it was asked to hear, by the number of the question. */
  #joining = new Map<number, VoiceAddress>();
  /** Groups that are asked for again a little later. */
  #later = new Set<ReturnType<typeof setTimeout>>();
  #opening = false;
  #hold: Hold | null = null;
  /** What held the talk was let go; it ends when its attention tone is said. */
  #letGo = false;
  #saying: Saying | null = null;
  #opened: ReturnType<typeof setTimeout> | undefined;
  /** The floor was lost before there was a microphone to say anything with. */
  #tooEarly = false;

  constructor(line: RadioLine, sound: Sound, kept: Hearing[], keep: (heard: Hearing[]) => void) {
    this.#line = line;
    this.#sound = sound;
    this.#keep = keep;
    this.#ears = new Ears(sound, (problem) => (this.lack = lackOf(problem)));
    this.calls = new PrivateCalls(line, {
      heard: this.heard,
      join: (group) => this.join(group),
      ring: () => this.#tone(TONES.ringing),
    });
    this.patches = new Patches(
      line,
      (why) => this.#refusal.tell(why),
      // A microphone that is open would hear it, and somebody near it too.
      () => this.talk || this.#tone(TONES.joined),
    );
    for (const hearing of kept) this.heard.set(hearing.group, hearing);
  }

  /** Why the last wish came to nothing, for a while. */
  get refusal(): Refusal | null {
    return this.#refusal.now;
  }

  /** What would be heard is not: the browser plays nothing before a key or click on the page. */
  get blocked(): boolean {
    return this.#sound.blocked && this.heard.size > 0;
  }

  /** Somebody has used a key or the pointer: from now on sound is allowed. */
  touched(): void {
    this.#listen();
  }

  /** Sound is begun before anybody talks, so that it can be said whether it is allowed. */
  #listen(): void {
    if (this.heard.size === 0) return;
    const lack = this.#sound.lacking();
    if (lack) this.lack = lack;
    else
      this.#sound.open().then(
        () => {
          if (this.lack === 'no_sound') this.lack = null;
        },
        (problem: unknown) => (this.lack = lackOf(problem)),
      );
  }

  #tone(pitches: readonly number[]): void {
    // Without sound the bar says it all the same.
    this.#sound.tone(pitches).catch(() => undefined);
  }

  // -- hearing

  /** Hear a group from now on. */
  join(group: VoiceAddress): void {
    if (this.heard.has(group)) return;
    this.heard.set(group, { group, loudness: 1, muted: false, side: 0 });
    this.#kept();
    this.#listen();
    if (this.#line.live()) this.#ask(group);
  }

  leave(group: VoiceAddress): void {
    if (!this.heard.delete(group)) return;
    this.#forget(group);
    this.#kept();
    if (this.talk?.group === group) this.#over();
    this.#line.send({ t: 'voice_leave', n: this.#line.next(), group });
  }

  /** Hear a group otherwise: how loud, at which ear, or not for now. */
  hearing(group: VoiceAddress, change: Partial<Hearing>): void {
    const before = this.heard.get(group);
    if (!before) return;
    this.heard.set(group, { ...before, ...change });
    this.#kept();
    this.#tune(group);
  }

  /** How a group sounds: muted, it is heard all the same where it is patched with one that is not. */
  #sounds(group: VoiceAddress): Hearing | undefined {
    const hearing = this.heard.get(group);
    const other = hearing?.muted && this.patches.of(group)?.other;
    const there = other ? this.heard.get(other) : undefined;
    return there && !there.muted ? { ...there, group } : hearing;
  }

  /** A group, and with it what it is patched with, sounds otherwise. */
  #tune(group: VoiceAddress): void {
    for (const each of [group, this.patches.of(group)?.other]) {
      const sounds = each && this.#sounds(each);
      if (sounds) this.#ears.tune(sounds);
    }
  }

  /** There is a connection: what was heard before is heard again, and what was true may be over. */
  resumed(): void {
    this.lost();
    this.#listen();
    for (const group of this.heard.keys()) this.#ask(group);
  }

  #ask(group: VoiceAddress): void {
    const n = this.#line.next();
    this.#joining.set(n, group);
    this.#line.send({ t: 'voice_join', n, group });
  }

  /** A call is no group for tomorrow: by then its number may be another's. */
  #kept(): void {
    this.#keep([...this.heard.values()].filter(({ group }) => !isCall(group)));
  }

  #forget(group: VoiceAddress): void {
    const other = this.patches.of(group)?.other;
    this.floors.delete(group);
    this.reach.delete(group);
    this.patches.forget(group);
    this.#ears.close(group);
    if (other) this.#tune(other);
  }

  // -- talking

  /** Talk in a group, as long as the key is down; with `alert`, an attention tone is said first. */
  async press(
    group: VoiceAddress,
    hold: Hold,
    { call = 'normal', alert = false }: How = {},
  ): Promise<void> {
    // For an emergency, what is said elsewhere ends.
    if (call === 'emergency' && this.talk && this.talk.group !== group) this.#done(this.talk);
    if (this.talk) return this.#again(group, hold, call);
    if (!this.#line.live()) return;
    const lack = this.#sound.lacking();
    if (lack) {
      this.lack = lack;
      return;
    }
    this.talk = {
      group,
      wish: 'asked',
      call,
      position: 0,
      forRadio: false,
      until: 0,
      warned: false,
      alert,
      open: hold === 'open',
    };
    this.#refusal.forget();
    this.lack = null;
    this.#hold = hold;
    this.#letGo = this.#tooEarly = false;
    this.#saying = new Saying(group, this.#line.me(), (speech) =>
      this.#line.sendSpeech(encodeSpeech(speech)),
    );
    this.#wish(this.talk);
    if (this.#opening || this.#microphone) return;
    this.#opening = true;
    const milliseconds = packetMs(this.#line.latency());
    try {
      const microphone = await this.#sound.microphone(
        milliseconds,
        (opus) => this.#saying?.said({ opus, milliseconds }),
        (lack) => this.#broken(lack),
      );
      // The key may be up again by now.
      if (!this.talk) return microphone.close();
      this.#microphone = microphone;
      if (this.#tooEarly) this.#wish(this.talk);
      this.#tooEarly = false;
      this.#alert();
      this.#stayOpen();
    } catch (problem) {
      this.#broken(lackOf(problem));
    } finally {
      this.#opening = false;
    }
  }

  #wish({ group, call }: Talk): void {
    this.#line.send({ t: 'floor_ask', group, ...(call === 'normal' ? {} : { call }) });
  }

  /** What nobody holds ends by itself, but not while it waits to be heard. */
  #stayOpen(): void {
    clearTimeout(this.#opened);
    if (this.talk?.open && this.talk.wish === 'granted' && this.#microphone)
      this.#opened = setTimeout(() => this.release('open'), OPEN_MS);
  }

  /** One talks already: a hand takes over what was open, and what has become graver is. */
  #again(group: VoiceAddress, hold: Hold, call: Talk['call']): void {
    const { talk } = this;
    if (talk?.group !== group) return;
    if (talk.open) {
      this.#hold = hold;
      this.talk = { ...talk, open: hold === 'open' };
      this.#stayOpen();
    } else if (call === 'emergency' && talk.call !== call) {
      this.talk = { ...talk, call };
      this.#line.send({ t: 'floor_ask', group, call });
    }
  }

  /** What held the talk is let go; without naming it, whatever hand on the page held it. */
  release(hold?: Hold): void {
    const { talk } = this;
    const elsewhere = this.#hold === 'open' || this.#hold === 'headset';
    if (!talk || (hold ? hold !== this.#hold : elsewhere)) return;
    this.#letGo = true;
    // A tone that is cut off calls nobody's attention.
    if (talk.alert && talk.wish !== 'queued') return;
    this.#done(talk);
  }

  #done(talk: Talk): void {
    this.#saying?.end();
    this.#line.send({ t: 'floor_release', group: talk.group });
    this.#over();
  }

  /** A wish has come to nothing; of an open microphone no sound tells: somebody near may hear it. */
  #failed(tone: readonly number[]): void {
    if (!this.talk?.open) this.#tone(tone);
  }

  #broken(lack: Lack): void {
    this.lack = lack;
    if (!this.talk) return;
    this.#failed(TONES.lost);
    this.#done(this.talk);
  }

  /** Say the attention tone, when there is the floor to say it, and something to say it with. */
  #alert(): void {
    const { talk } = this;
    const microphone = this.#microphone;
    if (!talk?.alert || talk.wish !== 'granted' || !microphone) return;
    this.#saying?.forget();
    this.#saying?.granted();
    void microphone.alert().then(() => {
      if (!this.talk?.alert || this.#microphone !== microphone) return;
      this.talk = { ...this.talk, alert: false };
      if (this.#letGo) this.#done(this.talk);
    });
  }

  #over(): void {
    clearTimeout(this.#opened);
    this.talk = null;
    this.#saying = null;
    this.#microphone?.close();
    this.#microphone = null;
  }

  // -- what comes

  /** Whether this was asked here, so that what becomes of it is told here, or is no news. */
  asked(n: number): boolean {
    return this.#joining.has(n) || this.calls.asked(n) || this.patches.asked(n);
  }

  take(frame: ServerFrame): void {
    this.calls.take(frame);
    this.patches.take(frame);
    if (frame.t === 'patched') this.#tune(frame.group);
    else if (frame.t === 'reach') this.#reached(frame.group, frame.reach);
    else if (frame.t === 'floor') this.#floor(frame);
    else if (frame.t === 'floor_yours') this.#yours(frame);
    else if (frame.t === 'voice_gone') {
      // What became of a call is told where it rang (calls.svelte.ts).
      this.#gone(frame.group, isCall(frame.group) ? null : frame);
    } else if (frame.t === 'ok') this.#joining.delete(frame.n);
    else if (frame.t === 'error' && frame.n != null) {
      const group = this.#joining.get(frame.n);
      this.#joining.delete(frame.n);
      if (!group || !this.heard.has(group)) return;
      if (frame.retry != null) this.#askLater(group, frame.retry);
      else this.#notJoined(group, frame);
    }
  }

  /** Nobody is made a member of a call: who may not join it comes too late. */
  #notJoined(group: VoiceAddress, why: Refusal): void {
    const late = isCall(group) && why.code === 'not_your_group';
    if (late) this.calls.tooLate(group);
    this.#gone(group, late ? null : why);
  }

  /** The server could not now: what is heard here is no less wished for that. */
  #askLater(group: VoiceAddress, milliseconds: number): void {
    const timer = setTimeout(() => {
      this.#later.delete(timer);
      if (this.heard.has(group) && this.#line.live()) this.#ask(group);
    }, milliseconds);
    this.#later.add(timer);
  }

  #askNoMore(): void {
    for (const timer of this.#later) clearTimeout(timer);
    this.#later.clear();
    this.#joining.clear();
  }

  /** A group is not heard, whatever was wished here. */
  #gone(group: VoiceAddress, why: Refusal | null): void {
    this.heard.delete(group);
    this.#forget(group);
    this.#kept();
    if (why) this.#refusal.tell(why);
    if (this.talk?.group === group) this.#over();
  }

  #reached(group: VoiceAddress, reach: Reached): void {
    if (reach === 'heard' || !this.heard.has(group)) this.reach.delete(group);
    else this.reach.set(group, reach);
  }

  #floor(frame: Floor): void {
    // Of a group that is not heard only an emergency call is told: then it is heard.
    if (frame.talker && frame.call === 'emergency') this.join(frame.group);
    if (!this.heard.has(frame.group)) return;
    this.floors.set(frame.group, frame);
    this.#ears.ended(frame.group, frame.talker);
  }

  #yours(frame: FloorYours): void {
    const { talk } = this;
    if (talk?.group !== frame.group) return;
    switch (frame.state) {
      case 'granted':
        this.talk = { ...talk, wish: 'granted', until: frame.until ?? 0 };
        if (talk.alert) this.#alert();
        else {
          // Of an open microphone, again, no sound tells; nobody waits for it with a key.
          if (!talk.open && talk.wish !== 'granted') this.#tone(TONES.granted);
          this.#saying?.granted();
          this.#stayOpen();
        }
        return;
      case 'queued':
        this.talk = {
          ...talk,
          wish: 'queued',
          position: frame.position ?? 0,
          forRadio: frame.code === 'radio_talks',
        };
        if (this.#letGo) this.#done(this.talk);
        return;
      case 'warned':
        this.talk = { ...talk, warned: true, until: frame.until ?? talk.until };
        return;
      default:
        // The browser asks whether the microphone is allowed; an open one does not give up for that.
        if (talk.open && this.#opening && frame.code === 'silent') {
          this.talk = { ...talk, wish: 'asked' };
          this.#tooEarly = true;
          return;
        }
        this.#refusal.tell({ code: frame.code ?? '' });
        this.#failed(frame.state === 'denied' ? TONES.denied : TONES.lost);
        this.#over();
    }
  }

  /** Somebody is heard. */
  speech(speech: Speech): void {
    const hearing = this.#sounds(speech.group);
    if (!hearing) return;
    const lack = this.#sound.lacking();
    if (lack) this.lack = lack;
    else this.#ears.hear(speech, hearing);
  }

  /** The connection is lost, or the page locked: nobody talks, is heard to talk, or calls. */
  lost(): void {
    this.floors.clear();
    this.reach.clear();
    this.#ears.lost();
    this.calls.lost();
    this.patches.lost();
    this.#askNoMore();
    if (!this.talk) return;
    this.#failed(TONES.lost);
    this.#over();
  }

  stop(): void {
    this.#over();
    this.#refusal.forget();
    this.patches.news.forget();
    this.#askNoMore();
    this.calls.lost();
    this.#ears.close();
  }
}
