/** So long something that was told is news, milliseconds. */
export const NEWS_MS = 20_000;

/** What is told once, and is old after a while. */
export class Passing<What> {
  #now = $state.raw<What | null>(null);
  #old: ReturnType<typeof setTimeout> | undefined;

  get now(): What | null {
    return this.#now;
  }

  tell(what: What): void {
    this.forget();
    this.#now = what;
    this.#old = setTimeout(() => (this.#now = null), NEWS_MS);
  }

  forget(): void {
    clearTimeout(this.#old);
    this.#now = null;
  }
}
