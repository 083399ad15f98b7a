import { ageText } from '../../state/format';
import { metres, type Point } from '../../state/points';
import { ageOf, type Unit } from '../../state/units';
import { work } from '../../strings.work';

export interface Near {
  unit: Unit;
  /** Metres as the crow flies from where it was last. */
  far: number;
}

/** So many whose place is sure, and so many besides that are perhaps nearer. */
const SURE = 3;
const DOUBTFUL = 2;

/**
 * The units nearest to a point, without one of them: first those whose place is exact and not old,
 * then those that are nearer as far as is known.
 */
export function nearest(
  units: Iterable<Unit>,
  place: Point,
  without: number,
  now: number,
): readonly Near[] {
  const sure: Near[] = [];
  const doubtful: Near[] = [];
  for (const unit of units) {
    if (unit.id === without || !unit.place) continue;
    const exact = unit.shown === 'exact' && ageOf(unit, now) !== 'old';
    (exact ? sure : doubtful).push({ unit, far: metres(place, unit.place) });
  }
  for (const each of [sure, doubtful]) each.sort((a, b) => a.far - b.far);
  const last = sure[SURE - 1]?.far ?? Infinity;
  return [...sure.slice(0, SURE), ...doubtful.filter(({ far }) => far < last).slice(0, DOUBTFUL)];
}

/** What is to be known of a unit's place before anybody counts on it; empty when it is sure. */
export function doubtOf(unit: Unit, now: number): string {
  const words = work.emergency;
  const age = ageOf(unit, now);
  return [
    unit.shown === 'blurred' ? words.blurred : '',
    unit.place && age !== 'live' ? words.placeAge(ageText(now - unit.place.time)) : '',
  ]
    .filter(Boolean)
    .join(', ');
}
