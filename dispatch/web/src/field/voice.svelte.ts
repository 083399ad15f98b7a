import { newId } from '../state/outbox';
import type { Listener, Recording } from './sound';

/** About a second of a voice note, as it is kept while it is spoken. */
export interface Piece {
  /** The note's id, a UUID; the file that is made of it has the same. */
  note: string;
  /** 0, 1, 2 … within the note. */
  n: number;
  type: string;
  /** When the note was begun, by the server's clock (ms UTC). */
  taken: number;
  about: string | null;
  sound: Blob;
}

/** A voice note that is being spoken, or was broken off. */
export interface Note {
  id: string;
  taken: number;
  about: string | null;
  pieces: readonly Piece[];
}

export interface Studio {
  record(listener: Listener): Promise<Recording>;
  now(): number;
  /** What is spoken now belongs to it. */
  about(): string | null;
  keepPiece(piece: Piece): void;
  dropPieces(note: string): void;
  /** Make a file of it, which replaces its pieces; false when the disk has no room for it. */
  file(note: Note, sound: Blob): Promise<boolean>;
}

/** The server takes notes of five minutes: one that goes on longer goes on in another. */
const LONGEST = 240_000;

/** A note that nobody is speaking any more, of the pieces that were kept of it. */
function notes(pieces: readonly Piece[]): Note[] {
  const sorted = pieces.toSorted((a, b) => a.taken - b.taken || a.n - b.n);
  const found = Map.groupBy(sorted, ({ note }) => note);
  return [...found].map(([id, all]) => {
    const [{ taken, about } = { taken: 0, about: null }] = all;
    return { id, taken, about, pieces: all };
  });
}

/**
 * Voice notes until they are files. The recording belongs to no page of the tablet: it goes on
 * until somebody stops it. Each piece is on disk as it comes, so that what a reload breaks off is
 * there afterwards, for a hand to send or to delete.
 */
export class Voice {
  /** The one that is being spoken. */
  note = $state.raw<Note | null>(null);
  broken = $state.raw<readonly Note[]>([]);
  #studio: Studio;
  #recording: Recording | null = null;
  #beginning = false;
  #stopping = false;

  constructor(kept: readonly Piece[], studio: Studio) {
    this.broken = notes(kept);
    this.#studio = studio;
  }

  /** Throws what the browser throws when the microphone is not allowed. */
  async begin(): Promise<void> {
    if (this.note || this.#beginning) return;
    this.#beginning = true;
    const id = newId((bytes) => crypto.getRandomValues(bytes));
    const note: Note = { id, taken: this.#studio.now(), about: this.#studio.about(), pieces: [] };
    try {
      this.#recording = await this.#studio.record({
        piece: (sound, type) => this.#heard(id, sound, type),
        ended: () => this.#ended(id),
      });
      this.note = note;
    } finally {
      this.#beginning = false;
    }
  }

  /** Send what was said; false when the disk has no room for it: then it is there, broken off. */
  async end(): Promise<boolean> {
    if (!this.note || this.#stopping) return true;
    this.#stopping = true;
    try {
      await this.#recording?.stop();
      const { note } = this;
      this.note = this.#recording = null;
      return note === null || (await this.#file(note));
    } finally {
      this.#stopping = false;
    }
  }

  /** Send one that was broken off; false when the disk has no room for it. */
  async send(note: Note): Promise<boolean> {
    this.broken = this.broken.filter(({ id }) => id !== note.id);
    return this.#file(note);
  }

  discard(note: Note): void {
    this.broken = this.broken.filter(({ id }) => id !== note.id);
    this.#studio.dropPieces(note.id);
  }

  /** The tablet is erased: nothing is recorded or kept any more. */
  erase(): void {
    this.note = null;
    this.broken = [];
    void this.#recording?.stop();
  }

  #heard(id: string, sound: Blob, type: string): void {
    const { note } = this;
    if (note?.id !== id) return;
    const { taken, about, pieces } = note;
    const piece: Piece = { note: id, n: pieces.length, type, taken, about, sound };
    this.#studio.keepPiece(piece);
    this.note = { ...note, pieces: [...pieces, piece] };
    if (this.#studio.now() - taken > LONGEST) void this.#goOn();
  }

  async #goOn(): Promise<void> {
    if (this.#stopping) return;
    await this.end();
    // Without a microphone by now, it has ended with what was said.
    await this.begin().catch(() => undefined);
  }

  /** Nobody has stopped it: the microphone was taken away. */
  #ended(id: string): void {
    const { note } = this;
    if (this.#stopping || note?.id !== id) return;
    this.note = this.#recording = null;
    if (note.pieces.length > 0) this.broken = [...this.broken, note];
  }

  async #file(note: Note): Promise<boolean> {
    const [first] = note.pieces;
    if (!first) return true;
    const sounds = note.pieces.map(({ sound }) => sound);
    const kept = await this.#studio.file(note, new Blob(sounds, { type: first.type }));
    if (!kept) this.broken = [...this.broken, note];
    return kept;
  }
}
