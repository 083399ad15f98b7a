import type { Action } from './actions';
import type { Waiting } from './outbox';
import type { RollCall } from './rollCall';
import type { Shelf } from './storage';

/** A window that crashed says nothing: this often one looks, milliseconds. */
const EVERY = 30_000;

/** Whoever takes over; each says whether it is kept here now. */
export interface Heirs {
  actions(list: readonly Action[]): boolean;
  messages(list: readonly Waiting[]): boolean;
  reads(list: readonly Read[]): boolean;
}

/** A place in a mailbox that was read. */
export interface Read {
  box: Waiting['to'][number];
  seq: number;
}

/** Takes over what windows of the same person had yet to send when they were closed. */
export class LeftBehind {
  #timer: ReturnType<typeof setInterval> | undefined;
  #looking = false;
  #stopped = false;

  constructor(
    private readonly shelf: Shelf,
    private readonly windows: Pick<RollCall, 'closed'>,
    private readonly heirs: Heirs,
  ) {
    this.#timer = setInterval(() => void this.look(), EVERY);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  async look(): Promise<void> {
    if (this.#looking || this.#stopped) return;
    const { shelf, heirs } = this;
    const names = ['actions', 'outbox', 'reads'];
    const others = [...new Set(names.flatMap((name) => shelf.others(name)))];
    if (others.length === 0) return;
    this.#looking = true;
    const closed = await this.windows.closed(others);
    this.#looking = false;
    if (this.#stopped) return;
    for (const window of closed) {
      this.#take<Action>(window, 'actions', (list) => heirs.actions(list));
      this.#take<Waiting>(window, 'outbox', (list) => heirs.messages(list));
      this.#take<Read>(window, 'reads', (list) => heirs.reads(list));
    }
  }

  /** It is dropped there only when it is kept here, and read anew: another may have been faster. */
  #take<T>(window: string, name: string, inherit: (list: readonly T[]) => boolean): void {
    const key = this.shelf.of(window, name);
    if (inherit(this.shelf.get<T[]>(key, []))) this.shelf.drop(key);
  }
}
