import type { UnitStatusWord } from '../../wire/items';

/** What can be said of a unit: a status, or that it is clear of what it was sent to. */
export type Sayable = Exclude<UnitStatusWord, 'ordered'> | 'clear';

const FREE = ['available', 'busy', 'out_of_service', 'off_duty'] as const;
const STEPS = ['ordered', 'acknowledged', 'en_route', 'on_scene'] as const;

/** Sent somewhere, and not clear yet. */
export function assigned(status: UnitStatusWord): boolean {
  return (STEPS as readonly string[]).includes(status);
}

/** May be sent without more ado. */
export function sendable(status: UnitStatusWord): boolean {
  return status === 'available' || status === 'busy';
}

/**
 * What may be said next of a unit, in the order of a day. A later step may be said without the
 * earlier ones, an earlier one not again (docs/domain.md, Units at work).
 */
export function following(status: UnitStatusWord): readonly Sayable[] {
  const step = (STEPS as readonly string[]).indexOf(status);
  if (step < 0) return FREE.filter((each) => each !== status);
  return [...(STEPS.slice(step + 1) as Sayable[]), 'clear'];
}

/** How the ring around a unit's symbol on the map is drawn; 0: none. */
export type RingNumber = 0 | 1 | 2 | 3 | 4;
export function ringOf(status: UnitStatusWord | undefined): RingNumber {
  switch (status) {
    case 'ordered':
    case 'acknowledged':
      return 1;
    case 'en_route':
      return 2;
    case 'on_scene':
      return 3;
    case 'out_of_service':
    case 'off_duty':
      return 4;
    default:
      return 0;
  }
}
