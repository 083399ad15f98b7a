/** JSON in the browser's storage, per account. A full or forbidden storage loses only comfort. */
export class Shelf {
  constructor(
    readonly account: string,
    readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
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

  #key(name: string): string {
    return `psn:${this.account}:${name}`;
  }
}
