import { layoutOf, written, type Layout } from './layout';
import { folded } from './lexicon';
import type { Shelf } from './storage';

const NAME = 'layouts';
export const LONGEST_NAME = 40;

/** How somebody has arranged his desk, under names of his own, in every window of his. */
export class Layouts {
  #kept = $state.raw<ReadonlyMap<string, unknown>>(new Map());

  constructor(private readonly shelf: Shelf | null) {
    this.#recall();
  }

  get names(): string[] {
    return [...this.#kept.keys()].sort((a, b) => a.localeCompare(b));
  }

  /** By its name, whatever its case and accents. */
  get(name: string): Layout | null {
    const known = this.#known(name);
    return known === undefined ? null : layoutOf(this.#kept.get(known));
  }

  /** Another of the same name is replaced. False when it could not be kept. */
  save(name: string, layout: Layout): boolean {
    this.#recall();
    const called = name.trim().slice(0, LONGEST_NAME);
    const others = [...this.#kept].filter(([one]) => folded(one) !== folded(called));
    return this.#keep([...others, [called, written(layout)]]);
  }

  drop(name: string): void {
    this.#recall();
    const known = this.#known(name);
    this.#keep([...this.#kept].filter(([one]) => one !== known));
  }

  /** Another window has written into the storage, under this key (null: it was emptied). */
  follow(key: string | null): void {
    if (key === null || key.endsWith(`:${NAME}`)) this.#recall();
  }

  #known(name: string): string | undefined {
    return [...this.#kept.keys()].find((one) => folded(one) === folded(name));
  }

  #keep(entries: [string, unknown][]): boolean {
    this.#kept = new Map(entries);
    return this.shelf?.set(NAME, entries) ?? false;
  }

  #recall(): void {
    const kept: unknown = this.shelf?.get(NAME, []) ?? [];
    const entries = Array.isArray(kept) ? kept.filter(isEntry) : [];
    this.#kept = new Map(entries);
  }
}

function isEntry(value: unknown): value is [string, unknown] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string';
}
