import { FAMILIES, type Family } from './family';
import { CELL, drawRing, drawStatus, drawSymbol, drawTick, STATUSES, type Ink } from './symbols';

export interface AtlasAgency {
  id: number;
  colour: string;
  mark: string;
}

const COLUMNS = 16;
export const SPRITE = { tick: 0, ring: 1, status: 2 } as const;
const FIRST = SPRITE.status + STATUSES;

/**
 * Every symbol that can be needed, drawn once: agency × family × on- or offline, each with and
 * without its letter (a symbol a few pixels wide is clearer without).
 */
export class Atlas {
  readonly canvas: HTMLCanvasElement;
  readonly columns = COLUMNS;
  readonly rows: number;
  #index = new Map<string, number>();

  constructor(agencies: readonly AtlasAgency[], ink: Ink) {
    const looks = agencies.flatMap((agency) =>
      FAMILIES.flatMap((family) => [true, false].map((online) => ({ agency, family, online }))),
    );
    this.rows = Math.ceil((FIRST + looks.length * 2) / COLUMNS);
    this.canvas = document.createElement('canvas');
    this.canvas.width = COLUMNS * CELL;
    this.canvas.height = this.rows * CELL;
    const context = this.canvas.getContext('2d');
    if (!context) return;
    drawTick(context, ...this.#corner(SPRITE.tick), ink);
    drawRing(context, ...this.#corner(SPRITE.ring), ink);
    for (let number = 1; number <= STATUSES; number++) {
      drawStatus(context, ...this.#corner(SPRITE.status + number - 1), number, ink);
    }
    looks.forEach(({ agency, family, online }, number) => {
      const at = FIRST + number * 2;
      this.#index.set(key(agency.id, family, online), at);
      const { colour, mark } = agency;
      drawSymbol(context, ...this.#corner(at), { family, colour, online, mark: '' }, ink);
      drawSymbol(context, ...this.#corner(at + 1), { family, colour, online, mark }, ink);
    });
  }

  /** Number of the plain symbol; the one with the letter follows it. */
  sprite(agency: number, family: Family, online: boolean): number {
    return this.#index.get(key(agency, family, online)) ?? this.#index.values().next().value ?? 1;
  }

  #corner(at: number): [x: number, y: number] {
    return [(at % COLUMNS) * CELL, Math.floor(at / COLUMNS) * CELL];
  }
}

const key = (agency: number, family: Family, online: boolean): string =>
  `${agency} ${family} ${online}`;
