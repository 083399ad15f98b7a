import { newActionId } from './board.svelte';
import type { WorkAsked } from './windows';

/** The window with the work answers within this, milliseconds; else there is none. */
export const PATIENCE = 300;

/** Where calls are typed, for a window that shows only the map. */
export class WorkWindow {
  #asked = new Map<string, { what: WorkAsked['what']; timer: ReturnType<typeof setTimeout> }>();

  constructor(
    private readonly tell: (said: { work?: WorkAsked; works?: string }) => void,
    /** Does it in this window. */
    private readonly act: (asked: WorkAsked) => void,
    /** The other window has it. */
    private readonly elsewhere: (what: WorkAsked['what']) => void,
  ) {}

  /**
   * Do it where the work is: in the other window, or here when none answers in time. A call has its
   * key from the start, so that it is one call, whoever was too late.
   */
  ask(what: WorkAsked['what'], here: boolean, patience = PATIENCE): void {
    const asked = { what, key: newActionId() };
    if (here) {
      this.act(asked);
      return;
    }
    const alone = (): void => {
      this.#asked.delete(asked.key);
      this.act(asked);
    };
    this.#asked.set(asked.key, { what, timer: setTimeout(alone, patience) });
    this.tell({ work: asked });
  }

  /** Another window asks; it is told that it is done here. */
  asked(asked: WorkAsked): void {
    this.act(asked);
    this.tell({ works: asked.key });
  }

  /** Another window has done it. */
  answered(key: string): void {
    const asked = this.#asked.get(key);
    if (!asked) return;
    clearTimeout(asked.timer);
    this.#asked.delete(key);
    this.elsewhere(asked.what);
  }
}
