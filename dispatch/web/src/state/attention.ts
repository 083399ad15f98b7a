const EVERY = 60_000;

/**
 * Tells the server that a person is there, at most once a minute: when keys or pointer were used in
 * this window, or in another one of the same account. Once a warning has come, at once.
 */
export class Attention {
  #last = -Infinity;
  #warned = false;

  /** `send` says `active`; false when it could not. */
  constructor(
    readonly send: () => boolean,
    readonly now: () => number,
  ) {}

  /** The server has warned that the console locks soon. */
  warned(): void {
    this.#warned = true;
  }

  /** Somebody did something; true when the server was told. */
  touched(): boolean {
    const now = this.now();
    if (!this.#warned && now - this.#last < EVERY) return false;
    if (!this.send()) return false;
    this.#last = now;
    this.#warned = false;
    return true;
  }
}
