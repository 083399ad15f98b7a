import { untrack } from 'svelte';
import { withoutControls } from './bidi';
import { newActionId } from './board.svelte';
import type { Refusal } from './board.svelte';
import type { Shelf } from './storage';

const NAME = 'work-drafts';

/** A draft as it lies in the browser's storage. */
interface Kept {
  typed: object;
  /** The action it was sent with, while that has no answer. */
  sent?: string;
  /** It was typed on after that. */
  since?: true;
}

/**
 * What is typed and chosen in a form, from the first key until the server has done what was asked:
 * then it is as it was at the start. Values are replaced, never changed within.
 */
export class Draft<T extends object> {
  /** For `bind:value`: what is written here is kept at once. */
  readonly typed: T;
  /** The action it was sent with, until that is done. */
  sent = $state.raw<string | null>(null);
  /** Why it was not done; whoever sees the form again reads it. */
  refused = $state.raw<Refusal | null>(null);
  #now = $state.raw() as T;
  #since = false;
  #asked = false;

  constructor(
    private readonly start: T,
    /** Null when there is nothing to keep. */
    private readonly keep: (kept: Kept | null) => void = () => undefined,
  ) {
    this.#now = start;
    this.typed = new Proxy(start, {
      get: (_, field) => this.#now[field as keyof T],
      set: (_, field, value) => {
        this.type({ [field]: value } as Partial<T>);
        return true;
      },
    });
  }

  /** Some of it is written. */
  type(change: Partial<T>): void {
    this.#now = { ...this.#now, ...withoutControls(change) };
    this.#since = this.sent !== null;
    this.#keep();
  }

  /** Somebody has just asked for the form. */
  begin(change: Partial<T>): void {
    this.#asked = true;
    this.type(change);
  }

  /** Whether it was just asked for: only then does it take the keyboard, not when it is seen again. */
  asked(): boolean {
    const asked = this.#asked;
    this.#asked = false;
    return asked;
  }

  /** For `{@attach draft.focused}`. */
  readonly focused = (element: HTMLElement): void => {
    if (this.asked()) element.focus();
  };

  /** It is sent now: with an action of this id. */
  send(): string {
    const id = newActionId();
    this.sent = id;
    this.#since = false;
    this.#keep();
    return id;
  }

  /** The server has done it. What was typed after it was sent stays. */
  taken(): void {
    if (!this.#since) this.#now = this.start;
    this.sent = null;
    this.#keep();
  }

  /** The server will not do it: all of it is still there. */
  refuse(why: Refusal): void {
    this.sent = null;
    this.refused = why;
    this.#keep();
  }

  /** It was taken back before it was done. */
  unsent(): void {
    this.sent = null;
    this.#keep();
  }

  /** Nobody wants it any more. */
  drop(): void {
    this.#now = this.start;
    this.sent = this.refused = null;
    this.#keep();
  }

  /** As it is kept: from before a reload, or by another window. */
  recall(kept: Kept | undefined): void {
    const typed: unknown = kept?.typed;
    const known = typeof typed === 'object' && typed !== null ? typed : {};
    this.#now = { ...this.start, ...known };
    this.sent = typeof kept?.sent === 'string' ? kept.sent : null;
    this.#since = kept?.since === true;
  }

  #keep(): void {
    const { sent } = this;
    const empty = JSON.stringify(this.#now) === JSON.stringify(this.start);
    this.keep(
      empty && sent === null
        ? null
        : {
            typed: this.#now,
            ...(sent === null ? {} : { sent }),
            ...(this.#since ? { since: true } : {}),
          },
    );
  }
}

/**
 * Everything that one person is typing in forms, by what it is about: `close:12`, `recall:7`. It
 * outlives the form, the reload and the change of windows; nothing is kept without a shelf.
 */
export class Drafts {
  /** False when the last of it could not be kept here. */
  kept = $state(true);
  #live = new Map<string, Draft<object>>();

  constructor(private readonly shelf: Shelf | null) {}

  /** What is typed under a name, which is of one form; `start` is what the form begins with. */
  of<T extends object>(name: string, start: T): Draft<T> {
    const live = this.#live.get(name);
    if (live) return live as unknown as Draft<T>;
    // Whoever asks while the page is drawn has to notice what is typed then.
    const draft = untrack(() => new Draft(start, (kept) => this.#keep(name, kept)));
    untrack(() => draft.recall(this.#all()[name]));
    this.#live.set(name, draft as unknown as Draft<object>);
    return draft;
  }

  /** An action is done, perhaps one that was asked for before a reload. */
  taken(action: string): void {
    for (const draft of this.#live.values()) if (draft.sent === action) draft.taken();
    for (const [name, kept] of Object.entries(this.#all())) {
      if (kept.sent !== action) continue;
      this.#keep(name, kept.since ? { typed: kept.typed } : null);
    }
  }

  /** Another window has written into the storage, under this key (null: it was emptied). */
  follow(key: string | null): void {
    if (!this.kept || (key !== null && !key.endsWith(`:${NAME}`))) return;
    const all = this.#all();
    for (const [name, draft] of this.#live) draft.recall(all[name]);
  }

  /** Read anew each time: another window writes there too. */
  #all(): Record<string, Kept> {
    const all: unknown = this.shelf?.get(NAME, {}) ?? {};
    const kept = typeof all === 'object' && all !== null ? Object.entries(all) : [];
    return Object.fromEntries(
      kept.filter(([, one]) => typeof one === 'object' && one !== null) as [string, Kept][],
    );
  }

  #keep(name: string, kept: Kept | null): void {
    const all = this.#all();
    if (kept) all[name] = kept;
    else if (name in all) delete all[name];
    else return;
    this.kept = this.shelf?.set(NAME, all) ?? true;
  }
}
