import type { Address } from '../wire/frames';
import type { Speech, VoiceAddress } from '../wire/speech';

/** What is said before the floor is granted is kept for so long, and goes out with it; ms. */
const BEFORE_MS = 500;

type Packet = Pick<Speech, 'opus' | 'milliseconds'>;

/** What is said in one talk, on its way to frames that are numbered and have an end. Pure. */
export class Saying {
  #number = 0;
  #granted = false;
  #before: Packet[] = [];
  /** The newest packet goes out with the next one: it may be the last. */
  #newest: Packet | null = null;
  readonly #group: VoiceAddress;
  readonly #talker: Address;
  readonly #send: (speech: Speech) => void;

  constructor(group: VoiceAddress, talker: Address, send: (speech: Speech) => void) {
    this.#group = group;
    this.#talker = talker;
    this.#send = send;
  }

  said(packet: Packet): void {
    if (this.#granted) this.#next(packet);
    else {
      this.#before.push(packet);
      let kept = this.#before.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
      while (kept > BEFORE_MS) kept -= this.#before.shift()?.milliseconds ?? kept;
    }
  }

  /** The floor is there: what was said just before is sent too. */
  granted(): void {
    this.#granted = true;
    for (const packet of this.#before.splice(0)) this.#next(packet);
  }

  /** Nothing of what was said so far is to be heard. */
  forget(): void {
    this.#before = [];
  }

  /** All is said. */
  end(): void {
    if (this.#newest) this.#frame(this.#newest, true);
    this.#newest = null;
  }

  #next(packet: Packet): void {
    if (this.#newest) this.#frame(this.#newest, false);
    this.#newest = packet;
  }

  #frame(packet: Packet, last: boolean): void {
    const number = this.#number;
    this.#number += 1;
    this.#send({ group: this.#group, talker: this.#talker, number, last, ...packet });
  }
}
