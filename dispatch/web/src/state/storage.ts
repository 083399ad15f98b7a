/** A browser's storage, or another place of its kind. */
export type Place = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> &
  Partial<Pick<Storage, 'length' | 'key'>>;

/**
 * JSON in the browser's storage, per account. A full or forbidden storage loses only comfort. What
 * windows of one person would take from one another lies under the name of each window.
 */
export class Shelf {
  constructor(
    readonly account: string,
    readonly storage: Place,
    /** The name of this window; none where there is one alone. */
    readonly window = '',
  ) {}

  get<T>(name: string, otherwise: T): T {
    try {
      const text = this.storage.getItem(this.#key(name));
      return text === null ? otherwise : (JSON.parse(text) as T);
    } catch {
      return otherwise;
    }
  }

  /** False when it could not be kept. */
  set(name: string, value: unknown): boolean {
    try {
      this.storage.setItem(this.#key(name), JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  }

  drop(name: string): void {
    try {
      this.storage.removeItem(this.#key(name));
    } catch {
      // Nothing was kept either.
    }
  }

  /** A list of this window alone. */
  own<T>(name: string): T[] {
    return this.get<T[]>(this.of(this.window, name), []);
  }

  /** Keep it; an empty one leaves nothing behind. False when it could not be kept. */
  setOwn(name: string, list: readonly unknown[]): boolean {
    const key = this.of(this.window, name);
    if (list.length > 0) return this.set(key, list);
    this.drop(key);
    return true;
  }

  /** The windows besides this one that have kept something by this name. */
  others(name: string): string[] {
    const { storage } = this;
    const start = this.#key(name);
    const found: string[] = [];
    for (let at = 0; at < (storage.length ?? 0); at++) {
      const key = storage.key?.(at) ?? '';
      if (key === start) found.push('');
      else if (key.startsWith(`${start}:`)) found.push(key.slice(start.length + 1));
    }
    return found.filter((window) => window !== this.window);
  }

  /** What a window calls it. */
  of(window: string, name: string): string {
    return window ? `${name}:${window}` : name;
  }

  #key(name: string): string {
    return `psn:${this.account}:${name}`;
  }
}
