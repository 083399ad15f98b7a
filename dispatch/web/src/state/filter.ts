import { ageOf, type Age, type Unit } from './units';

export interface Filter {
  text: string;
  /** Agencies that are hidden. */
  without: ReadonlySet<number>;
  /** Only units whose device is connected. */
  online: boolean;
  /** Only units whose position is a minute old or more. */
  stale: boolean;
}

export const NO_FILTER: Filter = { text: '', without: new Set(), online: false, stale: false };

export interface Counts {
  agencies: Map<number, number>;
  online: number;
  stale: number;
}

/** Lower case, without accents: `Pena` finds `Peña`. */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/**
 * Whether a unit passes the chips and every word of the search is found in what names it, which is
 * asked for only when there is a search.
 */
export function passes(unit: Unit, filter: Filter, names: () => string, age: Age): boolean {
  if (filter.without.has(unit.agency)) return false;
  if (filter.online && !unit.online) return false;
  if (filter.stale && age !== 'stale' && age !== 'old') return false;
  if (!filter.text) return true;
  const words = fold(filter.text).split(/\s+/).filter(Boolean);
  const text = fold(names());
  return words.every((word) => text.includes(word));
}

/** The units to list, in the order given, and the counts that the chips show. */
export function choose(
  units: Iterable<Unit>,
  filter: Filter,
  now: number,
  agencyName: (id: number) => string,
): { chosen: Unit[]; counts: Counts } {
  const counts: Counts = { agencies: new Map(), online: 0, stale: 0 };
  const chosen: Unit[] = [];
  for (const unit of units) {
    const age = ageOf(unit, now);
    counts.agencies.set(unit.agency, (counts.agencies.get(unit.agency) ?? 0) + 1);
    if (!filter.without.has(unit.agency)) {
      if (unit.online) counts.online += 1;
      if (age === 'stale' || age === 'old') counts.stale += 1;
    }
    const names = (): string =>
      `${unit.callsign} ${unit.kind.replaceAll('_', ' ')} ${agencyName(unit.agency)}`;
    if (passes(unit, filter, names, age)) chosen.push(unit);
  }
  return { chosen, counts };
}

export type Order = 'callsign' | 'near' | 'heard';
export const ORDERS: readonly Order[] = ['callsign', 'near', 'heard'];

/**
 * Units that come by callsign: left so, or by distance from a place, or by when they were last
 * heard. Those without a position are last; whatever is equal stays by callsign.
 */
export function arrange(
  units: Unit[],
  order: Order,
  from: { lon: number; lat: number } | null,
): Unit[] {
  if (order === 'heard') {
    const heard = (unit: Unit): number => unit.place?.time ?? 0;
    return units.sort((a, b) => heard(b) - heard(a));
  }
  if (order === 'near' && from) {
    const narrow = Math.cos((from.lat * Math.PI) / 180);
    const far = ({ place }: Unit): number =>
      place ? Math.hypot((place.lon - from.lon) * narrow, place.lat - from.lat) : Infinity;
    const distance = new Map(units.map((unit) => [unit.id, far(unit)]));
    const of = (unit: Unit): number => distance.get(unit.id) ?? Infinity;
    return units.sort((a, b) => (of(a) === of(b) ? 0 : of(a) - of(b)));
  }
  return units;
}
