import type { Chosen } from './windows';

type Take = (lon: number, lat: number) => void;

/** A place that is to be clicked on the map, in whichever window that is. */
export class Pointing {
  #take = $state.raw<Take | null>(null);

  constructor(
    private readonly tell: (said: Pick<Chosen, 'pointing' | 'pointed'>) => void,
    /** Whether this window shows the map. */
    private readonly hasMap: () => boolean,
  ) {}

  /** The next click on the map is the place, and chooses no unit. */
  get on(): boolean {
    return this.#take !== null;
  }

  /** The next click on the map goes here: degrees. */
  ask(take: Take): void {
    this.#take = take;
    if (!this.hasMap()) this.tell({ pointing: true });
  }

  /** Nobody wants the place any more. */
  stop(): void {
    if (!this.#take) return;
    this.#take = null;
    this.tell({ pointing: false });
  }

  /** The map was clicked; true when somebody had asked for that. */
  at(lon: number, lat: number): boolean {
    const take = this.#take;
    this.#take = null;
    take?.(lon, lat);
    return take !== null;
  }

  /** Another window asks for a place, has one, or wants none any more; true when it is one's turn. */
  follow({ pointing, pointed }: Pick<Chosen, 'pointing' | 'pointed'>): boolean {
    if (pointing === false) this.#take = null;
    const asked = pointing === true && this.hasMap();
    if (asked) this.#take = (lon, lat) => this.tell({ pointed: { lon, lat } });
    if (!pointed) return asked;
    // Of several maps another one was clicked: this one waits no more.
    if (this.hasMap()) this.#take = null;
    return this.at(pointed.lon, pointed.lat);
  }
}
