/** So often it is looked whether somebody still types, milliseconds. */
const LOOK_EVERY = 250;

/**
 * What takes a field from under somebody's hands waits until he has left it: the letters that he
 * types on would be commands.
 */
export class AfterTyping {
  #waiting: ReturnType<typeof setInterval> | undefined;

  /** `typing`: whether somebody types now in what would be moved. */
  constructor(private readonly typing: () => boolean) {}

  /** Now, or when nobody types there any more; of several only the last. */
  do(act: () => void): void {
    clearInterval(this.#waiting);
    if (!this.typing()) {
      act();
      return;
    }
    this.#waiting = setInterval(() => {
      if (this.typing()) return;
      clearInterval(this.#waiting);
      act();
    }, LOOK_EVERY);
  }
}
