/**
 * What somebody has begun to type about a row, or about a new one, and has not saved: closing the
 * form does not lose it. When the row has changed meanwhile it is begun anew.
 */
export class Begun<Row, Draft> {
  #make: (row: Row | null) => Draft;
  #kept = new Map<string, Draft>();

  constructor(make: (row: Row | null) => Draft) {
    this.#make = make;
  }

  of(row: Row | null): Draft {
    const key = JSON.stringify(row);
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const draft = $state(this.#make(row));
    this.#kept.set(key, draft);
    return draft;
  }

  /** It is saved. */
  done(row: Row | null): void {
    this.#kept.delete(JSON.stringify(row));
  }
}
