import type { Address, OutgoingMessage, Priority } from '../wire/frames';

export interface Waiting {
  id: string;
  to: Address[];
  text: string;
  priority: Priority;
  time: number;
  /** It went out once, and may have arrived though nothing was acknowledged. */
  tried?: boolean;
  /** Why the server refused it for good; it is not sent again. */
  problem?: string;
}

/** Messages that the server has not acknowledged, in the order they were written. */
export class Outbox {
  #waiting: Waiting[];

  constructor(kept: readonly Waiting[] = []) {
    this.#waiting = [...kept];
  }

  get waiting(): readonly Waiting[] {
    return this.#waiting;
  }

  add(message: Waiting): void {
    this.#waiting.push(message);
  }

  /** Acknowledged, or refused for good: true when it was waiting. */
  remove(id: string): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((message) => message.id !== id);
    return this.#waiting.length < before;
  }

  /** Written anew at this time: it goes behind the others; it arrives once all the same, by its id. */
  again(id: string, time: number): Waiting | undefined {
    const found = this.#waiting.find((message) => message.id === id);
    if (!found || !this.remove(id)) return undefined;
    const message = { ...found, time };
    this.add(message);
    return message;
  }

  /** The frame of a message; sending it twice is safe because of its id. */
  static frame(message: Waiting): OutgoingMessage {
    const { id, to, text, priority } = message;
    return { t: 'message', id, to, text, priority };
  }
}

/**
 * A version 4 UUID (RFC 9562 §5.4). `crypto.randomUUID` exists only on pages served securely, and
 * a console may be opened over plain HTTP inside the operations centre.
 */
export function newId(random: (bytes: Uint8Array) => Uint8Array): string {
  const bytes = random(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
