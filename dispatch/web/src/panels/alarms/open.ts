import type { Board } from '../../state/board.svelte';
import type { Alarm, AlarmKind, Invitation } from '../../wire/items';

/** How grave an alarm is: 1 where somebody may be in danger or helpless, 4 what only reminds. */
const GRAVITY: Record<AlarmKind, 1 | 2 | 3 | 4> = {
  emergency_unowned: 1,
  order_undelivered: 1,
  order_unacknowledged: 1,
  order_declined: 1,
  no_contact: 1,
  welfare_overdue: 1,
  call_unanswered: 1,
  incident_unassigned: 2,
  invitation_unanswered: 2,
  overdue_on_scene: 3,
  fence: 3,
  invitation_answered: 3,
  reminder: 4,
};

/** What nobody has taken first, then what has gone to the supervisor, the gravest, the oldest. */
export function byGravity(a: Alarm, b: Alarm): number {
  const taken = (alarm: Alarm): number => Number(alarm.taken != null);
  const level = (alarm: Alarm): number => alarm.level ?? 1;
  return (
    taken(a) - taken(b) ||
    level(b) - level(a) ||
    GRAVITY[a.kind] - GRAVITY[b.kind] ||
    a.raised - b.raised ||
    a.id - b.id
  );
}

/** Alarms that are not over, in the order in which they are to be taken. */
export function alarmsOf(board: Pick<Board, 'all'>): Alarm[] {
  return board.all('alarm').sort(byGravity);
}

/** What other agencies ask of an agency, and has no answer. */
export function requestsOf(board: Pick<Board, 'all'>, agency: number): Invitation[] {
  return board
    .all('invitation')
    .filter((each) => each.agency === agency && each.answer == null)
    .sort((a, b) => a.priority - b.priority || a.at - b.at);
}

/** How many things wait to be taken by somebody of an agency. */
export function waitingOf(board: Pick<Board, 'all'>, agency: number): number {
  const untaken = board.all('alarm').filter((each) => each.taken == null).length;
  return untaken + requestsOf(board, agency).length;
}
