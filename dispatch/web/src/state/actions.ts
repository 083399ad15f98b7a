import type { ClientFrame } from '../wire/frames';

/** An action that has no answer yet. Sending it again is safe because of its id. */
export interface Action {
  id: string;
  what: string;
  with: Record<string, unknown>;
  /** When it was asked for, by the server's clock (ms UTC). */
  time: number;
  /** It went out once, and may have been done though no answer came. */
  tried?: boolean;
}

/** Actions in the order asked; each stays until it is answered. */
export class Actions {
  #waiting: Action[];

  constructor(kept: readonly Action[] = []) {
    this.#waiting = [...kept];
  }

  get waiting(): readonly Action[] {
    return this.#waiting;
  }

  /** Behind the others; what is said of an emergency, behind what was said of it before only. */
  add(action: Action): void {
    const urgent = (one: Action): boolean => one.what.startsWith('emergency.');
    const place = urgent(action) ? this.#waiting.findLastIndex(urgent) + 1 : this.#waiting.length;
    this.#waiting.splice(place, 0, action);
  }

  /** Answered: the action, when it was waiting. */
  remove(id: string): Action | undefined {
    const found = this.#waiting.find((action) => action.id === id);
    this.#waiting = this.#waiting.filter((action) => action !== found);
    return found;
  }

  /** Asked for anew at this time: it goes behind the others; done once all the same, by its id. */
  again(id: string, time: number): Action | undefined {
    const found = this.remove(id);
    if (!found) return undefined;
    const action = { ...found, time };
    this.add(action);
    return action;
  }

  /** These went out. */
  tried(ids: ReadonlySet<string>): void {
    this.#waiting = this.#waiting.map((one) => (ids.has(one.id) ? { ...one, tried: true } : one));
  }

  static frame(action: Action): ClientFrame {
    return { t: 'do', id: action.id, what: action.what, with: action.with };
  }
}
