import { startOfToday } from '../../state/format';
import type { Shift } from './beforehand';

export const DAY = 86_400_000;
export const DAYS = 8;

/** A shift as one day shows it: since when and until when, within that day (milliseconds UTC). */
export interface Part {
  shift: Shift;
  /** None: since before this day. */
  from: number | null;
  /** None: beyond this day. */
  until: number | null;
}

/** Midnights in Belize (UTC−6 all year), of today and the seven days after it. */
export function days(now: number): number[] {
  const first = startOfToday(now);
  return Array.from({ length: DAYS }, (_, index) => first + index * DAY);
}

/** What of a unit's shifts lies in the day that begins at a midnight, in order. */
export function partsOf(shifts: readonly Shift[], unit: number, midnight: number): Part[] {
  const next = midnight + DAY;
  return shifts
    .filter((shift) => shift.unit === unit && shift.starts < next && shift.ends > midnight)
    .sort((a, b) => a.starts - b.starts || a.id - b.id)
    .map((shift) => ({
      shift,
      from: shift.starts < midnight ? null : shift.starts,
      until: shift.ends > next ? null : shift.ends,
    }));
}

/** Who crews a unit now: as the board does, the shift that began last. */
export function onDuty(shifts: readonly Shift[], unit: number, now: number): Shift | null {
  const there = shifts.filter(
    (shift) => shift.unit === unit && shift.starts <= now && now < shift.ends,
  );
  return there.reduce<Shift | null>(
    (last, shift) => (last === null || shift.starts > last.starts ? shift : last),
    null,
  );
}
