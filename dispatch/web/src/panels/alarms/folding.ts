import type { Emergency } from '../../wire/items';

/** What nobody has is first, what the desk has ended last. */
const rank = (each: Emergency): number => (each.owner == null ? 0 : each.desk_safe == null ? 1 : 2);

/** The order in which emergencies are to be looked at; of each kind the oldest first. */
export function byNeed(a: Emergency, b: Emergency): number {
  return rank(a) - rank(b) || a.raised - b.raised || a.id - b.id;
}

/** The desk has ended it and only the unit's word is missing: nobody here is waited for. */
export function mayLeave(emergency: Emergency): boolean {
  return emergency.owner != null && emergency.desk_safe != null;
}

type Pressed = Pick<Emergency, 'id' | 'presses'>;

/** How often it has been pressed. */
export const pressesOf = ({ presses }: Pressed): number => presses ?? 1;

/** Whether it was pressed again since somebody looked at it; `looked`: how often it had been then. */
export function pressedAgain(each: Pressed, looked: ReadonlyMap<number, number>): boolean {
  return pressesOf(each) > (looked.get(each.id) ?? 1);
}

/**
 * Which emergencies, in order, have a banner of their own while the others are only named: the
 * first always, and what is being looked at or ended, or was pressed again.
 */
export function whole(
  all: readonly Emergency[],
  unfolded: boolean,
  held: (emergency: Emergency) => boolean,
): Emergency[] {
  return unfolded ? [...all] : all.filter((each, index) => index === 0 || held(each));
}
