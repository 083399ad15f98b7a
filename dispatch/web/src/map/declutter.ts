export interface Candidate {
  id: number;
  /** Where the symbol is, CSS pixels. */
  x: number;
  y: number;
  /** Of the label, CSS pixels. */
  width: number;
  /** Greater goes first: the selected unit, then those already labelled. */
  weight: number;
}

const CELL = 8;
const FREE = 0;
const SHARED = -1;

/** Cells of the screen and whose they are: nobody's, one candidate's, or several candidates'. */
class Grid {
  #columns: number;
  #rows: number;
  #owner: Int32Array;

  constructor(width: number, height: number) {
    this.#columns = Math.ceil(width / CELL) + 1;
    this.#rows = Math.ceil(height / CELL) + 1;
    this.#owner = new Int32Array(this.#columns * this.#rows);
  }

  /** Every cell of a box is free or `number`'s own. */
  free(box: Box, number: number): boolean {
    for (const at of this.#cells(box)) {
      if (this.#owner[at] !== FREE && this.#owner[at] !== number) return false;
    }
    return true;
  }

  claim(box: Box, number: number): void {
    for (const at of this.#cells(box)) {
      const owner = this.#owner[at];
      this.#owner[at] = owner === FREE || owner === number ? number : SHARED;
    }
  }

  *#cells([left, top, right, bottom]: Box): Generator<number> {
    const last = Math.min(this.#rows - 1, Math.floor(bottom / CELL));
    const end = Math.min(this.#columns - 1, Math.floor(right / CELL));
    for (let row = Math.max(0, Math.floor(top / CELL)); row <= last; row++) {
      for (let column = Math.max(0, Math.floor(left / CELL)); column <= end; column++) {
        yield row * this.#columns + column;
      }
    }
  }
}

type Box = readonly [left: number, top: number, right: number, bottom: number];

/**
 * Ids of the units whose label, to the right of a symbol `symbol` pixels wide, lies on no other
 * label and no other symbol; at most `most`. Greedy by weight, linear by a grid of 8 pixels.
 */
export function declutter(
  candidates: readonly Candidate[],
  view: { width: number; height: number },
  symbol: number,
  most: number,
): number[] {
  const grid = new Grid(view.width, view.height);
  const half = symbol / 2;
  candidates.forEach(({ x, y }, index) => {
    grid.claim([x - half, y - half, x + half, y + half], index + 1);
  });
  const order = candidates.map((candidate, index) => ({ ...candidate, number: index + 1 }));
  order.sort((a, b) => b.weight - a.weight || a.id - b.id);
  const chosen: number[] = [];
  for (const { id, x, y, width, weight, number } of order) {
    if (chosen.length >= most) break;
    const box = [x + half + 1, y - 7, x + half + 3 + width, y + 7] as const;
    if (weight < SELECTED && !grid.free(box, number)) continue;
    grid.claim(box, number);
    chosen.push(id);
  }
  return chosen;
}

/** A label of this weight is shown whatever it covers. */
export const SELECTED = 100;
