import type { Silenced } from './windows';

/** What was silenced at this desk, in whichever of its windows. What comes anew sounds again. */
export class Hush {
  #messages = $state.raw<ReadonlySet<string>>(new Set());
  /** By emergency: how often it had been pressed. */
  #emergencies = $state.raw<ReadonlyMap<number, number>>(new Map());

  /** How many emergencies had come behind the lock. */
  waits = $state(0);

  add({ messages, emergencies }: Silenced): void {
    this.#messages = new Set([...this.#messages, ...messages]);
    this.#emergencies = new Map([...this.#emergencies, ...emergencies]);
  }

  message(id: string): boolean {
    return this.#messages.has(id);
  }

  emergency({ id, presses }: { id: number; presses?: number | null }): boolean {
    return (this.#emergencies.get(id) ?? 0) >= (presses ?? 1);
  }
}
