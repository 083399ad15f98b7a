import { newId } from '../state/outbox';
import { sha256, type Attached } from './attached';
import { sendPiece, type Line } from './uploads';

export interface Post extends Line {
  live(): boolean;
  now(): number;
}
export interface Disk {
  keepFile(file: Attached): Promise<boolean>;
  dropFile(id: string): void;
}

const LATER = 5_000;
const NOWHERE = 600_000;

/** Photos and voice notes that wait to be sent, the oldest first, one at a time. */
export class Files {
  waiting = $state.raw<readonly Attached[]>([]);
  /** The server takes no files; they wait until it does. */
  nowhere = $state(false);
  #disk: Disk;
  #post: Post;
  #known = '';
  #busy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(kept: readonly Attached[], disk: Disk, post: Post) {
    this.waiting = [...kept].sort((a, b) => a.taken - b.taken);
    this.#disk = disk;
    this.#post = post;
  }

  /** Keep one; false when the disk has no room for it. `begun`: it was begun before. */
  async add(
    kind: Attached['kind'],
    blob: Blob,
    about: string | null,
    begun?: Pick<Attached, 'id' | 'taken'>,
  ): Promise<boolean> {
    const file: Attached = {
      id: begun?.id ?? newId((bytes) => crypto.getRandomValues(bytes)),
      kind,
      type: blob.type,
      blob,
      sha256: await sha256(blob),
      taken: begun?.taken ?? this.#post.now(),
      about,
      sent: 0,
      problem: '',
    };
    const kept = await this.#disk.keepFile(file);
    if (kept) this.waiting = [...this.waiting, file];
    void this.#pump();
    return kept;
  }

  discard(id: string): void {
    this.#disk.dropFile(id);
    this.waiting = this.waiting.filter((file) => file.id !== id);
  }

  resumed(): void {
    this.#known = '';
    void this.#pump();
  }

  async #pump(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#post.live()) {
        const file = this.waiting.find((one) => !one.problem);
        if (!file) return;
        const wait = await this.#step(file);
        if (wait === 0) continue;
        this.#timer = setTimeout(() => void this.#pump(), wait);
        return;
      }
    } finally {
      this.#busy = false;
    }
  }

  /** One step of sending a file; how long to wait after it (ms). */
  async #step(file: Attached): Promise<number> {
    const step = await sendPiece(file, this.#known === file.id, this.#post);
    this.nowhere = step.is === 'nowhere';
    switch (step.is) {
      case 'on':
        this.#known = file.id;
        this.#put({ ...file, sent: step.sent });
        return 0;
      case 'done':
        this.discard(file.id);
        return 0;
      case 'refused':
        this.#put({ ...file, problem: step.text });
        await this.#disk.keepFile({ ...file, problem: step.text });
        return 0;
      case 'later':
        this.#known = '';
        return LATER;
      case 'nowhere':
        return NOWHERE;
    }
  }

  #put(file: Attached): void {
    this.waiting = this.waiting.map((one) => (one.id === file.id ? file : one));
  }
}
