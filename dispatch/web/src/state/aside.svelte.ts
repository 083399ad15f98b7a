import type { Shelf } from './storage';

const NAME = 'aside';
/** More than this are never open; the oldest are forgotten. */
const MOST = 50;

type Pressed = { id: number; presses?: number | null };

/**
 * Emergencies whose banners somebody has put aside, in every window of his. One that is pressed
 * again is back.
 */
export class Aside {
  /** By emergency: how often it had been pressed. */
  #ids = $state.raw<ReadonlyMap<number, number>>(new Map());

  constructor(private readonly shelf: Shelf | null) {
    this.#recall();
  }

  has({ id, presses }: Pressed): boolean {
    return (this.#ids.get(id) ?? 0) >= (presses ?? 1);
  }

  put({ id, presses }: Pressed): void {
    const others = [...this.#ids].filter(([one]) => one !== id);
    this.#keep([...others, [id, presses ?? 1]]);
  }

  back(id: number): void {
    this.#keep([...this.#ids].filter(([one]) => one !== id));
  }

  /** Another window has written into the storage, under this key (null: it was emptied). */
  follow(key: string | null): void {
    if (key === null || key.endsWith(`:${NAME}`)) this.#recall();
  }

  #keep(pairs: [number, number][]): void {
    const last = pairs.slice(-MOST);
    this.#ids = new Map(last);
    this.shelf?.set(NAME, last);
  }

  #recall(): void {
    const kept: unknown = this.shelf?.get(NAME, []) ?? [];
    const pairs = Array.isArray(kept) ? kept : [];
    this.#ids = new Map(pairs.filter(isPair));
  }
}

function isPair(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isInteger);
}
