import { untrack } from 'svelte';
import { withoutControls } from '../state/bidi';
import { newActionId } from '../state/board.svelte';
import type { Answer } from '../state/http';
import type { Shelf } from '../state/storage';
import type { Content, MessageShown, Preview, Stage, Standing } from './answers';
import { differences, same, whole, type Difference } from './drafting';

/** What a composition asks of the server, and of the clock. */
export interface Office {
  /** Do an action under an id: done once, however often it is asked for. */
  do<T>(action: string, body: unknown, id: string): Promise<Answer<T>>;
  read(message: number): Promise<Answer<MessageShown>>;
  preview(message: number, content: Content): Promise<Answer<Preview>>;
  /** Call back later; milliseconds. Answers how to take that back. */
  later(milliseconds: number, act: () => void): () => void;
}

/** As it lies in the browser's storage. */
interface Kept {
  /** Of what was on the server when this was typed. */
  digest: string;
  content: Content;
  /** What the server may have by now: sent, and perhaps not answered. */
  sent: Content;
  /** The server has answered that it has all of it. */
  saved: boolean;
  /** What was typed into the blanks of the template. */
  values: Record<string, string>;
  /** Names of the places around which circles are, by their middle. */
  places: Record<string, string>;
}

/** Codes of answers that do not say whether it was done, or that come only for now. */
const UNSURE = new Set(['unreachable', 'unavailable', 'too_slow', 'too_fast', 'locked']);
const SAVE_AFTER = 600;
const LOOK_AFTER = 350;
const TRY_AGAIN_AFTER = 2_000;

/**
 * A message that somebody writes on: what is typed is kept in the browser at once, and on the
 * server a moment later. One change is under way at a time; it is asked for again under its id until
 * it is answered. What somebody else wrote meanwhile is shown and never overwritten.
 */
export class Composition {
  content = $state.raw() as Content;
  values = $state.raw<Record<string, string>>({});
  places = $state.raw<Record<string, string>>({});
  stage = $state.raw() as Stage;
  digest = $state.raw() as string;
  /** As it was read last: its authors, who approved it. */
  shown = $state.raw() as MessageShown;
  preview = $state.raw() as Preview;
  /** Why the preview is not of the newest words. */
  previewProblem = $state('');
  /** Its code; those of areas begin with `area.`. */
  previewCode = $state('');
  saving = $state<'saved' | 'saving' | 'waiting' | 'refused' | 'conflict'>('saved');
  /** Why it is not saved. */
  problem = $state('');
  /** False when the browser keeps nothing. */
  kept = $state(true);
  /** What to tell whoever writes: it was changed by another, or is back from before a reload. */
  told = $state<'' | 'taken' | 'restored'>('');
  /** What somebody else has written in the meantime. */
  theirs = $state.raw<MessageShown | null>(null);
  #base: Content;
  #pending: { id: string; body: { message: number; seen: string; content: Content } } | null = null;
  #busy: Promise<void> | null = null;
  #dropSave: (() => void) | null = null;
  #dropLook: (() => void) | null = null;
  #looked = 0;
  #closed = false;

  constructor(
    shown: MessageShown,
    private readonly office: Office,
    private readonly shelf: Shelf,
  ) {
    this.shown = shown;
    this.stage = shown.stage;
    this.digest = shown.digest;
    this.preview = shown.preview;
    this.content = this.#base = shown.content;
    untrack(() => this.#recall());
  }

  get id(): number {
    return this.shown.id;
  }

  get dirty(): boolean {
    return !same(this.content, this.#base);
  }

  /** Where the words here and on the server differ. */
  get differs(): Difference[] {
    return this.theirs ? differences(this.content, this.theirs.content) : [];
  }

  /** Somebody writes; `values`, `places`: what goes with it, in this browser alone. */
  write(change: Partial<Content>, values = this.values, places = this.places): void {
    this.content = { ...this.content, ...withoutControls(change) };
    this.values = values;
    this.places = places;
    this.told = '';
    this.#keep();
    this.look();
    if (this.saving !== 'conflict') this.#save(SAVE_AFTER);
  }

  /** All that was typed is on the server, or it is told why not. */
  async settled(): Promise<boolean> {
    this.#dropSave?.();
    while (this.saving !== 'conflict' && (this.dirty || this.#pending)) {
      await this.#send();
      if (this.saving !== 'saved') return false;
    }
    return this.saving !== 'conflict';
  }

  /** The line is back, or somebody wants it tried again. */
  again(): void {
    if (this.saving === 'conflict') return;
    if (this.dirty || this.#pending) this.#save(0);
  }

  /** Ask how it would be seen. */
  look(after = LOOK_AFTER): void {
    const asked = ++this.#looked;
    this.#dropLook?.();
    this.#dropLook = this.office.later(after, () => {
      void this.#lookNow(asked);
    });
  }

  async #lookNow(asked: number): Promise<void> {
    const { content } = this;
    const area = content.area && content.area.parts.length > 0 ? content.area : null;
    const current = (): boolean => asked === this.#looked && !this.#closed;
    const answer = await this.office.preview(this.id, { ...content, area });
    if (!current()) return;
    this.previewProblem = answer.ok ? '' : answer.text || ' ';
    this.previewCode = answer.ok ? '' : answer.code;
    if (answer.ok) {
      this.preview = answer.value;
    } else if (answer.code.startsWith('area.')) {
      // The words are looked at all the same.
      const words = await this.office.preview(this.id, { ...content, area: null });
      if (words.ok && current()) this.preview = words.value;
    }
  }

  /** The list says that it stands elsewhere now: read it, unless that was this window's doing. */
  async heard(stage: Stage, digest: string): Promise<void> {
    if (this.#busy || this.theirs) return;
    if (digest === this.digest) {
      if (stage !== this.stage) await this.#read();
      return;
    }
    await this.#read();
  }

  /** An action of this window has changed how it stands. */
  async stands(standing: Standing): Promise<void> {
    this.stage = standing.stage;
    this.digest = standing.digest;
    await this.#read();
  }

  /** Write over what somebody else has written, knowing it. */
  keepMine(): void {
    if (!this.theirs) return;
    this.#take(this.theirs);
    this.saving = 'saved';
    this.#keep();
    this.#save(0);
  }

  /** Drop what was typed here. */
  takeTheirs(): void {
    if (!this.theirs) return;
    const { content } = this.theirs;
    this.#take(this.theirs);
    this.content = content;
    this.saving = 'saved';
    this.#keep();
    this.look(0);
  }

  /** It is left: what is not saved stays in the browser. */
  close(): void {
    this.#dropSave?.();
    this.#dropLook?.();
    if (this.dirty && this.saving !== 'conflict') void this.#send();
    this.#closed = true;
  }

  #take(shown: MessageShown): void {
    this.shown = shown;
    this.#base = shown.content;
    this.digest = shown.digest;
    this.stage = shown.stage;
    this.theirs = null;
    this.#pending = null;
    this.problem = '';
  }

  async #read(): Promise<void> {
    const answer = await this.office.read(this.id);
    if (!answer.ok || this.#closed || this.#busy) return;
    this.#meet(answer.value);
  }

  /** The message as the server has it, beside what is typed here. */
  #meet(shown: MessageShown): void {
    if (same(shown.content, this.#base)) {
      this.shown = shown;
      this.digest = shown.digest;
      this.stage = shown.stage;
      if (!this.dirty) this.preview = shown.preview;
    } else if (!this.dirty) {
      this.#take(shown);
      this.content = shown.content;
      this.preview = shown.preview;
      this.told = 'taken';
      this.#keep();
    } else if (same(shown.content, this.content)) {
      this.#take(shown);
      this.saving = 'saved';
      this.#keep();
    } else {
      this.theirs = shown;
      this.saving = 'conflict';
    }
  }

  #save(after: number): void {
    this.#dropSave?.();
    this.#dropSave = this.office.later(after, () => void this.#send());
  }

  #send(): Promise<void> {
    this.#busy ??= this.#sendNow().finally(() => (this.#busy = null));
    return this.#busy;
  }

  async #sendNow(): Promise<void> {
    if (!this.#pending && !this.dirty) return;
    const content = whole(this.content);
    this.#pending ??= {
      id: newActionId(),
      body: { message: this.id, seen: this.digest, content },
    };
    const { id, body } = this.#pending;
    this.saving = 'saving';
    this.#keep();
    const answer = await this.office.do<Standing>('warning.write', body, id);
    if (answer.ok) {
      this.#pending = null;
      this.#base = body.content;
      this.digest = answer.value.digest;
      this.stage = answer.value.stage;
      this.saving = 'saved';
      this.problem = '';
      this.#keep();
      if (this.dirty && !this.#closed) this.#save(SAVE_AFTER);
      return;
    }
    if (UNSURE.has(answer.code)) {
      this.saving = 'waiting';
      if (!this.#closed) this.#save(TRY_AGAIN_AFTER);
      return;
    }
    this.#pending = null;
    this.saving = 'refused';
    this.problem = answer.text;
    if (answer.code !== 'changed_meanwhile' && answer.code !== 'not_now') return;
    // Somebody was there before; what he wrote is shown beside what is typed here.
    const now = await this.office.read(this.id);
    if (now.ok && !this.#closed) this.#meet(now.value);
  }

  #keep(): void {
    const kept: Kept = {
      digest: this.digest,
      content: this.content,
      sent: this.#pending?.body.content ?? this.#base,
      saved: !this.#pending && !this.dirty,
      values: this.values,
      places: this.places,
    };
    this.kept = this.shelf.set(`warning:${this.id}`, kept);
  }

  /** What was typed in this browser before, when the server does not have it. */
  #recall(): void {
    const kept = this.shelf.get<Kept | null>(`warning:${this.id}`, null);
    if (!kept) return;
    this.values = kept.values;
    this.places = kept.places;
    if (same(kept.content, this.#base)) {
      // It may have more, which the server does not take yet: an area without a name.
      this.content = kept.content;
      return;
    }
    if (kept.saved) return;
    this.content = kept.content;
    if (kept.digest === this.digest || same(kept.sent, this.#base)) {
      this.told = 'restored';
      this.look(0);
      this.#save(0);
    } else {
      this.theirs = this.shown;
      this.saving = 'conflict';
    }
  }
}
