import { newId } from '../state/outbox';
import { sha256, type Attached } from './attached';
import { sendPiece, verdict, type Line, type Refused } from './uploads';

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

/** Photos and voice notes, sent the oldest first, one at a time, and kept until they are judged. */
export class Files {
  all = $state.raw<readonly Attached[]>([]);
  waiting = $derived(this.all.filter(({ problem, arrived }) => !problem && !arrived));
  refused = $derived(this.all.filter(({ problem }) => problem));
  /** The server takes no files; they wait until it does. */
  nowhere = $state(false);
  #disk: Disk;
  #post: Post;
  #known = '';
  #busy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(kept: readonly Attached[], disk: Disk, post: Post) {
    this.all = [...kept].sort((a, b) => a.taken - b.taken);
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
    if (kept) this.all = [...this.all, file];
    void this.#pump();
    return kept;
  }

  discard(id: string): void {
    this.#disk.dropFile(id);
    this.all = this.all.filter((file) => file.id !== id);
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
        const [file] = this.waiting;
        const wait = file ? await this.#step(file) : await this.#judge();
        if (wait === null) return;
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
        await this.#keep({ ...file, sent: file.blob.size, arrived: true });
        return 0;
      case 'refused':
        await this.#refuse(file, step);
        return 0;
      case 'later':
        this.#known = '';
        return LATER;
      case 'nowhere':
        return NOWHERE;
    }
  }

  /** What has arrived is kept until it is known to be good; how long to wait (ms), if for anything. */
  async #judge(): Promise<number | null> {
    const judged = this.all.filter(({ problem, arrived }) => !problem && arrived);
    if (judged.length === 0) return null;
    let wait = 0;
    for (const file of judged) {
      const said = await verdict(file.id, this.#post);
      if (said.is === 'ready') this.discard(file.id);
      else if (said.is === 'refused') await this.#refuse(file, said);
      else wait = LATER;
    }
    return wait;
  }

  /** It stays, to be made again or deleted. */
  #refuse(file: Attached, { code, text }: Refused): Promise<void> {
    return this.#keep({ ...file, code, problem: text || code || '?' });
  }

  async #keep(file: Attached): Promise<void> {
    this.#put(file);
    await this.#disk.keepFile(file);
  }

  #put(file: Attached): void {
    this.all = this.all.map((one) => (one.id === file.id ? file : one));
  }
}
