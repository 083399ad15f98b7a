/**
 * Where each unit is drawn between two fixes. A fix starts a straight, even movement from where
 * the unit is drawn now to where it was reported, over the interval at which this unit reports;
 * then it stands still. Nothing is guessed beyond the last report.
 *
 * The numbers lie in one array, an instance of {@link STRIDE} floats each, as the graphics card
 * reads them.
 */
export const STRIDE = 12;
/** Offsets within an instance. */
export const AT = {
  fromX: 0,
  fromY: 1,
  toX: 2,
  toY: 3,
  start: 4,
  length: 5,
  headingFrom: 6,
  headingTo: 7,
  fix: 8,
  sprite: 9,
  look: 10,
  label: 11,
} as const;
/** `headingTo` of a unit that does not say where it heads. */
export const NO_HEADING = -999;
/** Values of `look`; of what is not hidden, plus {@link PER_RING} times the number of its ring. */
export const LOOK = { hidden: 0, normal: 1, selected: 2 } as const;
export const PER_RING = 4;

/** Part of the map, in worlds from the origin. */
export interface Area {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const SHORTEST = 0.2;
const LONGEST = 12;
/** Farther than this (in worlds: about 5 km here) is a jump, not a movement. */
const JUMP = 5_000 / 38_200_000;

export class Motion {
  data = new Float32Array(256 * STRIDE);
  #slots = new Map<number, number>();
  #ids: number[] = [];
  #arrived: number[] = [];
  #interval: number[] = [];

  get count(): number {
    return this.#ids.length;
  }

  slot(id: number): number | undefined {
    return this.#slots.get(id);
  }

  id(slot: number): number {
    return this.#ids[slot] ?? 0;
  }

  /**
   * A position that came at `now` (seconds), reported for `fix` (seconds, server's clock). Returns
   * whether the unit is elsewhere at once, instead of beginning to move.
   */
  move(
    id: number,
    x: number,
    y: number,
    heading: number | null,
    fix: number,
    now: number,
  ): boolean {
    const known = this.#slots.get(id);
    const slot = known ?? this.#append(id);
    const i = slot * STRIDE;
    const data = this.data;
    const [drawnX, drawnY] = known === undefined ? [x, y] : this.position(slot, now);
    const gap = now - (this.#arrived[slot] ?? now);
    const interval = (this.#interval[slot] ?? 1) * 0.6 + Math.min(gap, LONGEST) * 0.4;
    if (known !== undefined) this.#interval[slot] = Math.max(SHORTEST, interval);
    this.#arrived[slot] = now;
    const jump = known === undefined || Math.hypot(x - drawnX, y - drawnY) > JUMP;
    const catchingUp = gap > 2 * LONGEST;
    data[i + AT.fromX] = jump ? x : drawnX;
    data[i + AT.fromY] = jump ? y : drawnY;
    data[i + AT.toX] = x;
    data[i + AT.toY] = y;
    data[i + AT.headingFrom] =
      known === undefined ? (heading ?? NO_HEADING) : this.heading(slot, now);
    data[i + AT.headingTo] = heading ?? NO_HEADING;
    data[i + AT.start] = now;
    data[i + AT.length] = jump ? 0 : catchingUp ? 1 : (this.#interval[slot] ?? 1);
    data[i + AT.fix] = fix;
    return jump;
  }

  /** Take a unit off; the last instance moves into its slot. */
  remove(id: number): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    const last = this.#ids.length - 1;
    const lastId = this.#ids[last] ?? id;
    this.data.copyWithin(slot * STRIDE, last * STRIDE, (last + 1) * STRIDE);
    for (const list of [this.#ids, this.#arrived, this.#interval]) {
      list[slot] = list[last] ?? 0;
      list.pop();
    }
    this.#slots.set(lastId, slot);
    this.#slots.delete(id);
  }

  set(slot: number, field: keyof typeof AT, value: number): void {
    this.data[slot * STRIDE + AT[field]] = value;
  }

  get(slot: number, field: keyof typeof AT): number {
    return this.data[slot * STRIDE + AT[field]] ?? 0;
  }

  /** Where a unit is drawn at `now`; the vertex shader computes the same. */
  position(slot: number, now: number): [x: number, y: number] {
    const part = this.#part(slot, now);
    const i = slot * STRIDE;
    const { data } = this;
    const fromX = data[i + AT.fromX] ?? 0;
    const fromY = data[i + AT.fromY] ?? 0;
    return [
      fromX + ((data[i + AT.toX] ?? 0) - fromX) * part,
      fromY + ((data[i + AT.toY] ?? 0) - fromY) * part,
    ];
  }

  /** Where a unit is drawn to head, by the shorter way round; {@link NO_HEADING} when unknown. */
  heading(slot: number, now: number): number {
    const from = this.get(slot, 'headingFrom');
    const to = this.get(slot, 'headingTo');
    if (to === NO_HEADING || from === NO_HEADING) return to;
    const turn = ((to - from + 540) % 360) - 180;
    return (from + turn * this.#part(slot, now) + 360) % 360;
  }

  /** The fastest movement under way in an area at `now`, in worlds a second; 0 when all stand. */
  fastest(now: number, area: Area): number {
    let most = 0;
    const { data } = this;
    for (let i = 0; i < this.count * STRIDE; i += STRIDE) {
      const length = data[i + AT.length] ?? 0;
      if (length === 0 || now > (data[i + AT.start] ?? 0) + length) continue;
      if (data[i + AT.look] === LOOK.hidden) continue;
      const x = data[i + AT.toX] ?? 0;
      const y = data[i + AT.toY] ?? 0;
      if (x < area.left || x > area.right || y < area.top || y > area.bottom) continue;
      const dx = x - (data[i + AT.fromX] ?? 0);
      const dy = y - (data[i + AT.fromY] ?? 0);
      most = Math.max(most, (Math.abs(dx) + Math.abs(dy)) / length);
    }
    return most;
  }

  #part(slot: number, now: number): number {
    const length = this.get(slot, 'length');
    if (length <= 0) return 1;
    return Math.min(1, Math.max(0, (now - this.get(slot, 'start')) / length));
  }

  #append(id: number): number {
    const slot = this.#ids.length;
    if ((slot + 1) * STRIDE > this.data.length) {
      const bigger = new Float32Array(this.data.length * 2);
      bigger.set(this.data);
      this.data = bigger;
    }
    this.#ids.push(id);
    this.#arrived.push(-1e9);
    this.#interval.push(1);
    this.#slots.set(id, slot);
    this.data.fill(0, slot * STRIDE, (slot + 1) * STRIDE);
    this.set(slot, 'look', LOOK.normal);
    this.set(slot, 'label', -1);
    return slot;
  }
}
