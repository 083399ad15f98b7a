import { newActionId } from '../state/board.svelte';
import type { Answer } from '../state/http';
import type { Call } from '../wire/items';

/** What is typed into the form. */
export interface Report {
  line: Call['line'];
  caller_name: string;
  caller_number: string;
  place: string;
  lon: number | null;
  lat: number | null;
  /** Which kind of incident it sounds like; null while nobody says. */
  type: number | null;
  notes: string;
}

/** A report as it was handed in: under this id it is only ever sent with these words. */
export interface Handed {
  id: string;
  report: Report;
}

/** What is handed in, and to whom the outcome is told. */
export interface Post {
  /** Somebody is signed in, and nothing is locked. */
  ready(): boolean;
  send(handed: Handed): Promise<Answer<unknown>>;
  keep(waiting: readonly Handed[]): void;
  received(handed: Handed): void;
  refused(text: string): void;
}

const LATER = 5_000;
/** So long nothing came back (milliseconds): the line is taken for lost, and it is sent again. */
const LOST = 15_000;
/** Failures that say nothing about the report: it may have arrived, or may yet. */
const PASSING = new Set([
  '',
  'unreachable',
  'unavailable',
  'too_fast',
  'too_slow',
  'locked',
  'session_ended',
  'not_signed_in',
]);

export const newReport = (line: Call['line']): Report => ({
  line,
  caller_name: '',
  caller_number: '',
  place: '',
  lon: null,
  lat: null,
  type: null,
  notes: '',
});

export function alike(one: Report, other: Report): boolean {
  const fields = Object.keys(newReport(one.line)) as (keyof Report)[];
  return fields.every((field) => one[field] === other[field]);
}

/**
 * Reports that were handed in and have no answer, at most two: the one that is being sent, which
 * may have arrived and so is repeated unchanged, and what was added to it since.
 */
export class Handing {
  waiting = $state.raw<readonly Handed[]>([]);
  sending = $state(false);
  /** What is being sent was sent before, and is without an answer. */
  late = $state(false);
  #post: Post;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(post: Post) {
    this.#post = post;
  }

  /** Go on with what was kept before a reload. */
  take(kept: readonly Handed[]): void {
    clearTimeout(this.#timer);
    this.waiting = kept;
    this.late = kept.length > 0;
  }

  hand(report: Report): void {
    const last = this.waiting.at(-1);
    if (!last || !alike(last.report, report))
      this.#put([...this.waiting.slice(0, 1), { id: newActionId(), report: { ...report } }]);
    void this.pump();
  }

  /** Send what waits, now. */
  async pump(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.sending) return;
    this.sending = true;
    try {
      let handed = this.waiting[0];
      while (handed && this.#post.ready()) {
        if (!(await this.#settle(handed))) return;
        handed = this.waiting[0];
      }
    } finally {
      this.sending = false;
    }
  }

  /** Whether it was answered, one way or the other. */
  async #settle(handed: Handed): Promise<boolean> {
    const answer = await Promise.race([this.#post.send(handed), lost()]);
    // Somebody else is signed in by now.
    if (this.waiting[0] !== handed) return false;
    if (!answer.ok && PASSING.has(answer.code)) {
      this.late = true;
      this.#timer = setTimeout(() => void this.pump(), LATER);
      return false;
    }
    this.late = false;
    this.#put(this.waiting.slice(1));
    if (answer.ok) this.#post.received(handed);
    else this.#post.refused(answer.text);
    return true;
  }

  #put(waiting: readonly Handed[]): void {
    this.waiting = waiting;
    this.#post.keep(waiting);
  }
}

const lost = (): Promise<Answer<never>> =>
  new Promise((resolve) =>
    setTimeout(() => resolve({ ok: false, text: '', code: 'unreachable' }), LOST),
  );
