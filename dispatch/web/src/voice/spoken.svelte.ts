import type { Answer } from '../state/http';
import { failureText } from '../state/http';
import type { VoiceAddress } from '../wire/speech';

/** A talk that was recorded, as `GET /api/recordings` gives it. */
export interface Recording {
  id: string;
  group: string;
  group_name: string;
  talker: string;
  talker_name: string;
  agency: number;
  call: 'normal' | 'peril' | 'emergency';
  /** Milliseconds UTC. */
  begun: number;
  milliseconds: number;
  /** Whether there will be no more of it. */
  over: boolean;
}

export interface Archive {
  get<T>(path: string): Promise<Answer<T>>;
  file(path: string): Promise<Answer<Blob>>;
}

/** Plays one file to its end, or until it is stopped. */
export interface Player {
  play(sound: Blob): Promise<void>;
  stop(): void;
}

/** The server gives so many at once. */
const PAGE = 500;
const MINUTE = 60_000;

/** Talks of which something was said in the minute before a moment (ms UTC). */
export function lastMinute(talks: readonly Recording[], now: number): Recording[] {
  const from = now - MINUTE;
  return talks.filter(({ begun, milliseconds, over }) => !over || begun + milliseconds >= from);
}

const inTime = (a: Recording, b: Recording): number =>
  a.begun - b.begun || a.id.localeCompare(b.id);

/** What was said in a group, and hearing it again. */
export class Spoken {
  list = $state.raw<readonly Recording[]>([]);
  /** The recording that is heard. */
  playing = $state.raw<Recording | null>(null);
  /** Why something could not be heard, or read. */
  problem = $derived.by(() => this.#unheard || this.#unread);
  #unheard = $state('');
  #unread = $state('');
  readonly #group: VoiceAddress;
  readonly #archive: Archive;
  readonly #player: Player;
  /** Who pressed last is heard. */
  #turn = 0;

  constructor(group: VoiceAddress, archive: Archive, player: Player = new Loudspeaker()) {
    this.#group = group;
    this.#archive = archive;
    this.#player = player;
  }

  /** Ask what there is from a moment on (ms UTC); the second time only what may be new. */
  async refresh(since = 0): Promise<void> {
    const found = new Map<string, Recording>();
    let before: number | null = null;
    for (;;) {
      const page = await this.#page(Math.max(since, this.#settled()), before);
      if (!page) return;
      const known = found.size;
      for (const talk of page) found.set(talk.id, talk);
      const [first] = page;
      if (!first || page.length < PAGE || found.size === known) break;
      // Others may have begun in the same millisecond.
      before = first.begun + 1;
    }
    const all = new Map([...this.list.map((talk) => [talk.id, talk] as const), ...found]);
    this.list = [...all.values()].toSorted(inTime);
  }

  /** Until then nothing changes any more: the newest talk began that is over, and all before it. */
  #settled(): number {
    const going = this.list.find(({ over }) => !over) ?? this.list.at(-1);
    return going?.begun ?? 0;
  }

  async #page(since: number, before: number | null): Promise<Recording[] | null> {
    const until = before === null ? '' : `&before=${before}`;
    const path = `/api/recordings?group=${this.#group}&since=${Math.max(0, Math.round(since))}${until}&limit=${PAGE}`;
    const answer = await this.#archive.get<{ recordings: Recording[] }>(path);
    this.#unread = answer.ok ? '' : failureText(answer);
    return answer.ok ? answer.value.recordings : null;
  }

  /** Hear what was said in the last minute; whether there was something. */
  async playLastMinute(now: number): Promise<boolean> {
    const turn = (this.#turn += 1);
    // Whoever has just ended may have begun a minute ago: nobody talks longer.
    await this.refresh(now - 2 * MINUTE);
    if (turn !== this.#turn) return true;
    const recent = lastMinute(this.list, now);
    await this.#playAll(recent);
    return recent.length > 0;
  }

  /** Hear one, or with `onwards` also all that come after it in time. */
  async play(first: Recording, onwards = false): Promise<void> {
    const at = this.list.findIndex(({ id }) => id === first.id);
    await this.#playAll(onwards && at >= 0 ? this.list.slice(at) : [first]);
  }

  async #playAll(chosen: readonly Recording[]): Promise<void> {
    this.#player.stop();
    const turn = (this.#turn += 1);
    this.#unheard = '';
    for (const recording of chosen) {
      this.playing = recording;
      const answer = await this.#archive.file(`/api/recordings/${recording.id}/sound`);
      if (turn !== this.#turn) return;
      if (!answer.ok) {
        this.#unheard = failureText(answer);
        break;
      }
      await this.#player.play(answer.value);
      if (turn !== this.#turn) return;
    }
    this.playing = null;
  }

  stop(): void {
    this.#turn += 1;
    this.#player.stop();
    this.playing = null;
  }
}

class Loudspeaker implements Player {
  #audio: HTMLAudioElement | null = null;
  #done: () => void = () => undefined;

  play(sound: Blob): Promise<void> {
    const address = URL.createObjectURL(sound);
    const audio = (this.#audio = new Audio(address));
    return new Promise((resolve) => {
      this.#done = () => {
        URL.revokeObjectURL(address);
        resolve();
      };
      audio.onended = audio.onerror = this.#done;
      audio.play().catch(this.#done);
    });
  }

  stop(): void {
    this.#audio?.pause();
    this.#audio = null;
    this.#done();
  }
}
