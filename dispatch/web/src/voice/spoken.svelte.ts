import type { Answer } from '../state/http';
import { problemText } from '../state/http';
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

/** What was said in a group, and hearing it again. */
export class Spoken {
  list = $state.raw<readonly Recording[]>([]);
  /** The recording that is heard. */
  playing = $state.raw<Recording | null>(null);
  /** Why something could not be read or heard. */
  problem = $state('');
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

  /** Ask what there is, from a moment on (ms UTC). */
  async refresh(since = 0): Promise<void> {
    const path = `/api/recordings?group=${this.#group}&since=${Math.max(0, Math.round(since))}&limit=500`;
    const answer = await this.#archive.get<{ recordings: Recording[] }>(path);
    this.problem = answer.ok ? '' : problemText(answer);
    if (answer.ok) this.list = answer.value.recordings;
  }

  /** Hear one, or with `onwards` also all that come after it in time. */
  async play(first: Recording, onwards = false): Promise<void> {
    this.#player.stop();
    const turn = (this.#turn += 1);
    const at = this.list.findIndex(({ id }) => id === first.id);
    const chosen = onwards && at >= 0 ? this.list.slice(at) : [first];
    this.problem = '';
    for (const recording of chosen) {
      this.playing = recording;
      const answer = await this.#archive.file(`/api/recordings/${recording.id}/sound`);
      if (turn !== this.#turn) return;
      if (!answer.ok) {
        this.problem = problemText(answer);
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
