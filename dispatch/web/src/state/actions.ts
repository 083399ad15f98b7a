import type { ClientFrame } from '../wire/frames';

/** An action that has no answer yet. Sending it again is safe because of its id. */
export interface Action {
  id: string;
  what: string;
  with: Record<string, unknown>;
  /** When it was asked for, by the server's clock (ms UTC). */
  time: number;
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

  static frame(action: Action): ClientFrame {
    return { t: 'do', id: action.id, what: action.what, with: action.with };
  }
}
