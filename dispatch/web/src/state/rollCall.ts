/** A window that is asked answers within this, milliseconds, however busy it is drawing. */
const PATIENCE = 2_000;

/** Which windows of one person are open in this browser: each is asked, and says its name. */
export class RollCall {
  #heard = new Set<string>();

  /** `me`: who is signed in here; a window where somebody else is does not count as his. */
  constructor(
    readonly window: string,
    private readonly channel: BroadcastChannel | null,
    private readonly me: () => string | null,
  ) {
    if (!channel) return;
    channel.onmessage = ({ data }) => this.#take(data);
  }

  /** Those of these windows that are not open any more, or where he has signed out. */
  async closed(windows: readonly string[]): Promise<string[]> {
    this.#heard.clear();
    this.channel?.postMessage({ me: this.me(), ask: true });
    await new Promise((resolve) => setTimeout(resolve, PATIENCE));
    return windows.filter((window) => !this.#heard.has(window));
  }

  #take(data: unknown): void {
    if (typeof data !== 'object' || data === null || this.me() === null) return;
    const said = data as Record<string, unknown>;
    if (said['me'] !== this.me()) return;
    if (said['ask'] === true) this.channel?.postMessage({ me: this.me(), here: this.window });
    else if (typeof said['here'] === 'string') this.#heard.add(said['here']);
  }
}
