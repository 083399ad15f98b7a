/** What a dispatcher was asked about units that he sends, and has answered with yes. Pure. */

export interface Yes {
  divert?: true;
  anyway?: true;
  /** Of these units he was told that their own emergency is not over. */
  knowing?: readonly number[];
}

/** Answers hold for the units that they were given about: others are asked about anew. */
export class Agreed {
  #about = '';
  #yes: Yes = {};

  /** All that was answered about just these units, with one answer more. */
  about(units: readonly number[], more: Yes = {}): Yes {
    const about = [...units].sort((a, b) => a - b).join();
    const before = about === this.#about ? this.#yes : {};
    const knowing = [...(before.knowing ?? []), ...(more.knowing ?? [])];
    this.#about = about;
    this.#yes = { ...before, ...more, ...(knowing.length > 0 ? { knowing } : {}) };
    return this.#yes;
  }

  /** It begins anew: all is asked again. */
  forget(): void {
    this.#yes = {};
  }
}

/** Refusals that are a question: with yes the same can be sent. */
export const ASKS: ReadonlySet<string> = new Set(['unit_taken', 'unit_in_emergency', 'not_now']);
