import { metres, type Point } from '../../state/points';
import type { Unit } from '../../state/units';
import type { UnitItem } from '../../wire/items';
import { sendable } from '../units/statuses';

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
