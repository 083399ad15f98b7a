import type { Board } from '../../state/board.svelte';
import type { Alarm, Invitation } from '../../wire/items';

/** Alarms that are not over: what nobody has taken first, then by when they were raised. */
export function alarmsOf(board: Pick<Board, 'all'>): Alarm[] {
  const taken = (alarm: Alarm): number => Number(alarm.taken != null);
  const level = (alarm: Alarm): number => alarm.level ?? 1;
  return board
    .all('alarm')
    .sort(
      (a, b) => taken(a) - taken(b) || level(b) - level(a) || a.raised - b.raised || a.id - b.id,
    );
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
