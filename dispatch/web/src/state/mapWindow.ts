import type { RollCall } from './rollCall';

/** A map that is only reloaded is there again within this, milliseconds. */
const AWAY = 4_000;
/** So often it is asked whether windows with a map are still open: one may have crashed. */
const ASK_EVERY = 5_000;

/** What a window with only the map says of itself: it is here, it goes, or who is? */
export interface MapSaid {
  what: 'here' | 'gone' | 'who';
  window: string;
}

/** Whether the map has a window of its own, for a window that shows the work in its place then. */
export class MapWindow {
  /** By window: how often one had said that it was here when this one last did. */
  #open = new Map<string, number>();
  #said = 0;
  #going = new Map<string, ReturnType<typeof setTimeout>>();
  #asking: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly rollCall: Pick<RollCall, 'closed'>,
    /** It has one now, or none any more. */
    private readonly changed: (elsewhere: boolean) => void,
  ) {}

  take({ what, window }: MapSaid): void {
    clearTimeout(this.#going.get(window));
    this.#going.delete(window);
    if (what === 'here') this.#here(window);
    else if (what === 'gone') {
      this.#going.set(
        window,
        setTimeout(() => {
          this.#going.delete(window);
          this.#gone([window]);
        }, AWAY),
      );
    }
  }

  #here(window: string): void {
    const first = this.#open.size === 0;
    this.#open.set(window, (this.#said += 1));
    if (!first) return;
    clearInterval(this.#asking);
    this.#asking = setInterval(() => void this.#ask(), ASK_EVERY);
    this.changed(true);
  }

  /** One that is only reloaded cannot answer: it says by itself that it is here again, or not. */
  async #ask(): Promise<void> {
    const asked = new Map(this.#open);
    const closed = await this.rollCall.closed([...asked.keys()]);
    const silent = (window: string): boolean => this.#open.get(window) === asked.get(window);
    this.#gone(closed.filter((window) => silent(window) && !this.#going.has(window)));
  }

  #gone(windows: readonly string[]): void {
    if (this.#open.size === 0) return;
    for (const window of windows) this.#open.delete(window);
    if (this.#open.size > 0) return;
    clearInterval(this.#asking);
    this.changed(false);
  }
}
