import type { Unit } from '../../state/units';
import type { UnitItem } from '../../wire/items';
import { sendable } from '../units/statuses';

const RADIUS = 6_371_008.8;

export interface Point {
  /** Degrees, WGS 84. */
  lon: number;
  lat: number;
}

/** Metres between two points on a sphere (haversine; IUGG mean radius). */
export function metres(a: Point, b: Point): number {
  const rad = Math.PI / 180;
  const half = (degrees: number): number => Math.sin((degrees * rad) / 2) ** 2;
  const h =
    half(b.lat - a.lat) + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * half(b.lon - a.lon);
  return 2 * RADIUS * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** `400 m`, `1.2 km`, `17 km`. */
export function distanceText(far: number): string {
  if (far < 950) return `${Math.round(far / 50) * 50} m`;
  return far < 9_950 ? `${(far / 1000).toFixed(1)} km` : `${Math.round(far / 1000)} km`;
}

/** A place of the board, in degrees; null when it is not on the map. */
export function pointOf(item: { lon?: number | null; lat?: number | null }): Point | null {
  return item.lon == null || item.lat == null ? null : { lon: item.lon / 1e7, lat: item.lat / 1e7 };
}

export interface Candidate {
  unit: Unit;
  item: UnitItem | undefined;
  /** Metres as the crow flies; null when either place is not known. */
  far: number | null;
}

/**
 * Units that may be sent, the likeliest first: those that the server ranks, in its order; then those
 * that are free, the near ones first, as the crow flies.
 */
export function candidates(
  units: Iterable<Unit>,
  itemOf: (id: number) => UnitItem | undefined,
  place: Point | null,
  ranked: ReadonlyMap<number, unknown> = new Map(),
): Candidate[] {
  const order = new Map([...ranked.keys()].map((id, at) => [id, at]));
  const found: Candidate[] = [];
  for (const unit of units) {
    const far = place && unit.place ? metres(place, unit.place) : null;
    found.push({ unit, item: itemOf(unit.id), far });
  }
  const rank = ({ item }: Candidate): number =>
    item === undefined || sendable(item.status) ? 0 : item.incident != null ? 1 : 2;
  const at = ({ unit }: Candidate): number => order.get(unit.id) ?? Number.MAX_SAFE_INTEGER;
  return found.sort(
    (a, b) => at(a) - at(b) || rank(a) - rank(b) || (a.far ?? Infinity) - (b.far ?? Infinity) || 0,
  );
}

/** The nearest units to a point, without one of them. */
export function nearest(
  units: Iterable<Unit>,
  place: Point,
  without: number,
  count: number,
): { unit: Unit; far: number }[] {
  const found: { unit: Unit; far: number }[] = [];
  for (const unit of units) {
    if (unit.id === without || !unit.place) continue;
    found.push({ unit, far: metres(place, unit.place) });
  }
  return found.sort((a, b) => a.far - b.far).slice(0, count);
}
