import type { Part, Point } from './answers';

export type LonLat = [lon: number, lat: number];

/** Corners that are set or moved on the map, degrees. */
export interface Shaping {
  points: LonLat[];
  /** Of a track, which is not closed. */
  line: boolean;
  /** The part of the area that has this border until now; null: none yet. */
  part: Part | null;
  /** Pointing sets the next corner; else the corners that are there are moved. */
  adding: boolean;
  /** The corner that keys move; it was pointed at last. */
  chosen: number | null;
}

/** Fewer are no border. */
export const LEAST_CORNERS = 3;

/** Something new, to be drawn corner by corner. */
export const drawn = (line: boolean): Shaping => ({
  points: [],
  line,
  part: null,
  adding: true,
  chosen: null,
});

/** The border of a part, to be changed. */
export function reshaped(part: Part, ring: readonly Point[]): Shaping {
  const points = corners(ring).map(([lon, lat]): LonLat => [lon / 1e7, lat / 1e7]);
  return { points, line: false, part, adding: false, chosen: 0 };
}

/** A ring without the first point that comes again at its end. */
export const corners = (ring: readonly Point[]): readonly Point[] =>
  ring.length > 1 && ring[0]?.join() === ring.at(-1)?.join() ? ring.slice(0, -1) : ring;

/** As the server has it: degrees × 10⁷. */
export const ringOf = ({ points }: Shaping): Point[] =>
  points.map(([lon, lat]) => [Math.round(lon * 1e7), Math.round(lat * 1e7)]);

export const moved = (shaping: Shaping, at: number, to: LonLat): Shaping => ({
  ...shaping,
  points: shaping.points.with(at, to),
  chosen: at,
});

/** One more corner behind another; behind the last one it is set as the next of a new border. */
export const added = (shaping: Shaping, behind: number, to: LonLat): Shaping => ({
  ...shaping,
  points: shaping.points.toSpliced(behind + 1, 0, to),
  chosen: behind + 1,
});

/** Whether a corner can be taken away. */
export const spare = ({ adding, points, chosen }: Shaping): boolean =>
  chosen !== null && points.length > (adding ? 0 : LEAST_CORNERS);

/** Without the chosen corner; the one before it is chosen then. */
export function removed(shaping: Shaping): Shaping {
  const { points, chosen } = shaping;
  if (!spare(shaping) || chosen === null) return shaping;
  const left = points.toSpliced(chosen, 1);
  return { ...shaping, points: left, chosen: left.length > 0 ? Math.max(0, chosen - 1) : null };
}

/** The next corner, or the one before; around. */
export function stepped(shaping: Shaping, step: 1 | -1): Shaping {
  const many = shaping.points.length;
  const from = shaping.chosen ?? (step > 0 ? -1 : 0);
  return many === 0 ? shaping : { ...shaping, chosen: (from + step + many) % many };
}

/** Half way from each corner to the next, where one can be added; of a new border there are none. */
export function between({ points, adding }: Shaping): LonLat[] {
  if (adding) return [];
  return points.map(([lon, lat], at) => {
    const next = points[(at + 1) % points.length] ?? [lon, lat];
    return [(lon + next[0]) / 2, (lat + next[1]) / 2];
  });
}

/** Whether a border crosses or touches itself: nobody can say then what is inside. */
export function crosses({ points, line }: Shaping): boolean {
  if (line) return false;
  const sides = points.map((from, at) => [from, points[(at + 1) % points.length] ?? from] as const);
  return sides.some(([a, b], one) =>
    sides.slice(one + 2).some(([c, d], more) => {
      // The last side ends where the first begins.
      if (one === 0 && more + 2 === sides.length - 1) return false;
      return turn(a, b, c) * turn(a, b, d) <= 0 && turn(c, d, a) * turn(c, d, b) <= 0;
    }),
  );
}

/** Above zero: a turn to the left, from one point over the next to the third. */
const turn = ([x1, y1]: LonLat, [x2, y2]: LonLat, [x3, y3]: LonLat): number =>
  Math.sign((x2 - x1) * (y3 - y1) - (y2 - y1) * (x3 - x1));
