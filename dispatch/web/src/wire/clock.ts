/**
 * The server's time from pings: of the last eight samples the one with the shortest way there and
 * back is believed (the idea of NTP's clock filter, RFC 5905 §10), because a delayed answer is the
 * usual error.
 */
export class ServerClock {
  #believed: number | null = null;
  #samples: { offset: number; roundTrip: number }[] = [];
  /** Milliseconds of the newest round trip; `null` before the first. */
  latency: number | null = null;

  /** A ping sent at `sent` and answered at `received` (both local) with the server's time. */
  add(sent: number, received: number, server: number): void {
    const roundTrip = Math.max(0, received - sent);
    this.latency = roundTrip;
    this.#samples.push({ offset: server - (sent + received) / 2, roundTrip });
    if (this.#samples.length > 8) this.#samples.shift();
  }

  /** What was known of the server's clock before the first answer: of an earlier run. */
  believe(offset: number): void {
    this.#believed = offset;
  }

  /** Whether there is any ground for the server's time. */
  get known(): boolean {
    return this.#believed !== null || this.#samples.length > 0;
  }

  /** Milliseconds to add to the local clock. */
  get offset(): number {
    let best: { offset: number; roundTrip: number } | undefined;
    for (const sample of this.#samples) {
      if (!best || sample.roundTrip <= best.roundTrip) best = sample;
    }
    return best?.offset ?? this.#believed ?? 0;
  }

  /** The server's time when the local clock shows `local`. */
  at(local: number): number {
    return local + this.offset;
  }
}
