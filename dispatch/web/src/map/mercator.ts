/**
 * Web Mercator, seen from the middle of Belize: numbers stay small enough that 32-bit floats on
 * the graphics card resolve a centimetre, where the usual 0..1 square resolves two metres.
 */
export const ORIGIN = { lon: -88.3, lat: 17.2 };

const x0 = mercatorX(ORIGIN.lon);
const y0 = mercatorY(ORIGIN.lat);

function mercatorX(lon: number): number {
  return (lon + 180) / 360;
}

function mercatorY(lat: number): number {
  const bounded = Math.max(-85.05, Math.min(85.05, lat));
  return 0.5 - Math.log(Math.tan(Math.PI / 4 + (bounded * Math.PI) / 360)) / (2 * Math.PI);
}

/** East of the origin, in worlds. */
export const relativeX = (lon: number): number => mercatorX(lon) - x0;
/** South of the origin, in worlds. */
export const relativeY = (lat: number): number => mercatorY(lat) - y0;

/** Longitude and latitude of a relative point. */
export function toDegrees(x: number, y: number): [lon: number, lat: number] {
  const lat = (Math.atan(Math.sinh(Math.PI * (1 - 2 * (y + y0)))) * 180) / Math.PI;
  return [(x + x0) * 360 - 180, lat];
}

/** What the screen shows: relative centre, pixels a world, and size in CSS pixels. */
export interface View {
  x: number;
  y: number;
  world: number;
  width: number;
  height: number;
}

/** Pixels a world at a MapLibre zoom (tiles of 512). */
export const worldSize = (zoom: number): number => 512 * 2 ** zoom;

const METRES_PER_DEGREE = 111_320;

/** A closed ring around a place (degrees), so many metres away from it: round to within 1 %. */
export function circle(lon: number, lat: number, metres: number): [lon: number, lat: number][] {
  const north = metres / METRES_PER_DEGREE;
  const east = north / Math.cos((lat * Math.PI) / 180);
  return Array.from({ length: 65 }, (_, n) => {
    const angle = (n * Math.PI) / 32;
    return [lon + east * Math.sin(angle), lat + north * Math.cos(angle)];
  });
}
