import type { Square } from './answers';

/** From few to many: one hue that grows stronger, so that it reads without telling hues apart. */
export const HEAT = {
  dark: ['#6b4a1f', '#96641f', '#c98428', '#f0ac4e', '#ffe1a3'],
  light: ['#dd9f3a', '#c57a1a', '#a35a0e', '#783e08', '#4a2203'],
} as const;

/** The least count of each class, ascending: doubling, or stretched so that five are enough. */
export function classes(most: number): number[] {
  if (most < 1) return [];
  const factor = Math.max(2, most ** (1 / 5));
  const found = [1];
  for (let at = factor; found.length < 5 && Math.ceil(at) <= most; at *= factor) {
    found.push(Math.ceil(at));
  }
  return found;
}

/** In which class a count is. */
export function classOf(count: number, bounds: readonly number[]): number {
  return Math.max(0, bounds.filter((bound) => bound <= count).length - 1);
}

/** `3–7`, `8` or `8+`: what a class stands for. */
export function classText(at: number, bounds: readonly number[]): string {
  const low = bounds[at] ?? 0;
  const next = bounds[at + 1];
  if (next === undefined) return `${low}+`;
  return next - 1 > low ? `${low}–${next - 1}` : String(low);
}

/** Squares as GeoJSON, with their class; and their middles, since from afar a square is a dot. */
export function heatShapes(
  squares: readonly Square[],
  bounds: readonly number[],
): GeoJSON.FeatureCollection {
  return {
    type: 'FeatureCollection',
    features: squares.flatMap((square, id): GeoJSON.Feature[] => {
      const ring = [0, 2, 4, 6, 0].map((at) => [
        (square.corners[at] ?? 0) / 1e7,
        (square.corners[at + 1] ?? 0) / 1e7,
      ]);
      const middle = [0, 1].map((axis) => ((ring[0]?.[axis] ?? 0) + (ring[2]?.[axis] ?? 0)) / 2);
      const said = { id, properties: { level: classOf(square.incidents, bounds) } };
      return [
        { type: 'Feature', ...said, geometry: { type: 'Polygon', coordinates: [ring] } },
        { type: 'Feature', ...said, geometry: { type: 'Point', coordinates: middle } },
      ];
    }),
  };
}
