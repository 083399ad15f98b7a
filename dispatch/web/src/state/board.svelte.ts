import { withoutControls } from './bidi';
import { SvelteMap } from 'svelte/reactivity';
import type { BoardItem, Kind, Of } from '../wire/items';
import type { ClientFrame, ServerFrame } from '../wire/frames';
import { Actions, type Action } from './actions';
import type { TooOld } from './held';
import { newId } from './outbox';

/** Why something was not done. */
export interface Refusal {
  code: string;
  text: string;
  todo: string;
  /** The units that it is about, where it is asked whether it is meant all the same. */
  units?: readonly number[];
}

/** What an action was answered: what it gives, or why it was not done. */
export type Answered = { ok: true; result: unknown; time: number } | ({ ok: false } & Refusal);

/** Whoever asked has thought better of it. */
const DISCARDED: Answered = { ok: false, code: 'discarded', text: '', todo: '' };

/** Where actions are kept until they are answered: a page may be reloaded, a tablet restarted. */
export interface Keep {
  load(): Action[];
  /** False when it could not be kept. */
  save(actions: readonly Action[]): boolean;
}

export interface Line {
  send(frame: ClientFrame): boolean;
  next(): number;
  live(): boolean;
  now(): number;
}

export const newActionId = (): string => newId((bytes) => crypto.getRandomValues(bytes));

/** So long after it was asked (milliseconds) nobody may be looking at where it was asked. */
const LATE = 5_000;

/** An action that was refused, for whoever asked for it. */
export interface Unheard {
  action: Action;
  code: string;
  text: string;
  todo: string;
}

/** The board, or a unit's duty, as it is now; and what is being done about it. */
export class Board {
  readonly items = new SvelteMap<string, BoardItem>();
  /** Everything of the topic has come since the last sign-in. */
  complete = $state(false);
  /** Actions without an answer. */
  waiting = $state.raw<readonly Action[]>([]);
  /** Those of them that are too old to be sent by themselves: somebody sends or discards them. */
  held = $state.raw<readonly Action[]>([]);
  /** Refused when the place that asked may be gone: after a reload, or long after it was asked. */
  unheard = $state.raw<readonly Unheard[]>([]);
  /** False when the last of them could not be kept here. */
  kept = $state(true);
  #actions: Actions;
  #answers = new Map<string, (answer: Answered) => void>();
  #follow = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly topic: 'board' | 'duty' | 'warnings' | 'warning_desk',
    private readonly keep: Keep,
    private readonly line: Line,
    private readonly tooOld: TooOld<Action> = () => false,
  ) {
    this.#actions = new Actions(keep.load());
    this.waiting = this.#actions.waiting;
    this.#hold();
  }

  /** Nobody is here any more: what waits stays where it is kept. */
  stop(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#answers.clear();
  }

  get<K extends Kind>(is: K, id: number | null | undefined): Of<K> | undefined {
    return id == null ? undefined : (this.items.get(`${is}:${id}`) as Of<K> | undefined);
  }

  all<K extends Kind>(is: K): Of<K>[] {
    const found: Of<K>[] = [];
    for (const item of this.items.values()) if (item.is === is) found.push(item as Of<K>);
    return found;
  }

  /** After every sign-in: follow anew, and send what has no answer, in order. */
  resumed(): void {
    this.complete = false;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#follow = this.line.next();
    this.line.send({ t: 'follow', n: this.#follow, topic: this.topic });
    this.#sendAll();
  }

  /**
   * Ask for something to be done. It is kept first and then sent; the answer may come after a
   * reload or a dead spot, and then nobody waits for it here any more. Who must know the answer
   * all the same keeps the id, and asks again with it: it is done once, and answered alike.
   */
  do(what: string, body: Record<string, unknown>, id = newActionId()): Promise<Answered> {
    if (!this.#actions.waiting.some((one) => one.id === id)) {
      const action: Action = { id, what, with: withoutControls(body), time: this.line.now() };
      this.#actions.add(action);
      this.#keep();
      this.#send([action]);
    }
    return new Promise((resolve) => this.#answers.set(id, resolve));
  }

  take(frame: ServerFrame): void {
    if (frame.t === 'news' && frame.topic === this.topic) {
      if (frame.whole) this.items.clear();
      for (const item of frame.set ?? []) this.items.set(`${item.is}:${item.id}`, item);
      for (const address of frame.gone ?? []) this.items.delete(address);
    } else if (frame.t === 'ok' && frame.n === this.#follow) {
      this.complete = true;
    } else if (frame.t === 'done') {
      this.#settle(frame.id, { ok: true, result: frame.result ?? null, time: frame.time });
    } else if (frame.t === 'error' && frame.id) {
      if (frame.retry != null) this.#again(frame.retry);
      else {
        const { code, text, todo, units } = frame;
        this.#settle(frame.id, { ok: false, code, text, todo, ...(units ? { units } : {}) });
      }
    }
  }

  /** Send what was held, as if it were asked for now. */
  release(id: string): void {
    const action = this.#actions.again(id, this.line.now());
    if (!action) return;
    this.held = this.held.filter((one) => one.id !== id);
    this.#keep();
    this.#send([action]);
  }

  /** What was held is not done; whoever asked for it is told. */
  discard(id: string): void {
    if (!this.#actions.remove(id)) return;
    this.#keep();
    this.#answers.get(id)?.(DISCARDED);
    this.#answers.delete(id);
  }

  /** What a window that was closed had no answer to. True when it is kept here now. */
  adopt(actions: readonly Action[]): boolean {
    const fresh = actions.filter(({ id }) => !this.#actions.waiting.some((one) => one.id === id));
    if (fresh.length === 0) return true;
    for (const action of fresh) this.#actions.add(action);
    this.#hold();
    this.#keep();
    this.#send(fresh);
    return this.kept;
  }

  #settle(id: string, answer: Answered): void {
    const action = this.#actions.remove(id);
    if (!action) return;
    this.#keep();
    const waits = this.#answers.get(id);
    if (!answer.ok && (!waits || this.line.now() - action.time > LATE)) {
      const { code, text, todo } = answer;
      this.unheard = [...this.unheard, { action, code, text, todo }];
    }
    waits?.(answer);
    this.#answers.delete(id);
  }

  /** Somebody has read it. */
  heard(unheard: Unheard): void {
    this.unheard = this.unheard.filter((one) => one !== unheard);
  }

  /** The server cannot now: all that waits goes again, so that nothing overtakes it. */
  #again(milliseconds: number): void {
    this.#retry ??= setTimeout(
      () => {
        this.#retry = undefined;
        this.#sendAll();
      },
      Math.max(250, milliseconds),
    );
  }

  #sendAll(): void {
    this.#hold();
    this.#send(this.#actions.waiting);
  }

  /** Send these, unless they are held, or all that waits goes again soon. */
  #send(actions: readonly Action[]): void {
    if (!this.line.live() || this.#retry !== undefined) return;
    const sent = actions.filter(
      (action) =>
        !this.held.some(({ id }) => id === action.id) && this.line.send(Actions.frame(action)),
    );
    if (sent.every(({ tried }) => tried)) return;
    this.#actions.tried(new Set(sent.map(({ id }) => id)));
    this.#keep();
  }

  #hold(): void {
    const now = this.line.now();
    this.held = this.#actions.waiting.filter((action) => this.tooOld(action, now));
  }

  #keep(): void {
    this.waiting = [...this.#actions.waiting];
    this.held = this.held.flatMap((one) => this.waiting.find(({ id }) => id === one.id) ?? []);
    this.kept = this.keep.save(this.#actions.waiting);
  }
}
