import type { Action } from '../state/actions';
import { goalOf, type Goal } from '../state/points';
import type { Assignment, BoardItem, Incident, UnitItem, UnitStatusWord } from '../wire/items';

/** What a crew says of itself; `clear` is no status, but leads back to `available`. */
export type Said = Exclude<UnitStatusWord, 'ordered'> | 'clear';
export const FREE = ['available', 'busy', 'out_of_service', 'off_duty'] as const;
const STEPS: readonly UnitStatusWord[] = ['ordered', 'acknowledged', 'en_route', 'on_scene'];

/** What may be said next, as `dispatch/domain/statuses.py` has it, in the order of a day. */
export function following(status: UnitStatusWord): Said[] {
  const step = STEPS.indexOf(status);
  if (step < 0) return FREE.filter((each) => each !== status);
  return [...(STEPS.slice(step + 1) as Said[]), 'clear'];
}

/** One's own status as it will be when all that was said here has arrived. */
export interface Now {
  status: UnitStatusWord;
  since: number;
  /** Something of it is not at the server yet. */
  waiting: boolean;
}

export interface Order {
  assignment: Assignment;
  incident: Incident | undefined;
  /** Where it leads. */
  goal: Goal;
  /** Other units that are sent there. */
  others: Assignment[];
}

export interface Duty {
  now: Now;
  order: Order | null;
}

/** What a unit is to do, from its topic and from what it has said since. Pure. */
export function dutyOf(unit: number, items: Iterable<BoardItem>, waiting: readonly Action[]): Duty {
  const all = [...items];
  const own = all.find((one): one is UnitItem => one.is === 'unit' && one.id === unit);
  const now: Now = {
    status: own?.status ?? 'available',
    since: own?.since ?? 0,
    waiting: false,
  };
  const ended = new Set<number>();
  for (const action of waiting) say(now, ended, action, own?.assignment ?? null);
  const assignments = all.filter((one): one is Assignment => one.is === 'assignment');
  const assignment = assignments.find(
    (one) => one.unit === unit && !one.ended && !ended.has(one.id),
  );
  if (!assignment) return { now, order: null };
  const incident = all.find(
    (one): one is Incident => one.is === 'incident' && one.id === assignment.incident,
  );
  const others = assignments.filter(
    (one) => one.incident === assignment.incident && one.unit !== unit && !one.ended,
  );
  return { now, order: { assignment, incident, goal: goalOf(assignment, incident), others } };
}

function say(now: Now, ended: Set<number>, action: Action, live: number | null): void {
  const body = action.with;
  const over =
    action.what === 'assignment.decline' ||
    (action.what === 'unit.status' && body['status'] === 'clear');
  if (over) {
    const which = Number(body['assignment'] ?? live);
    ended.add(which);
    if (live === which) settle(now, 'available', action.time);
  } else if (action.what === 'unit.status') {
    settle(now, body['status'] as UnitStatusWord, action.time);
  }
}

function settle(now: Now, status: UnitStatusWord, since: number): void {
  now.status = status;
  now.since = since;
  now.waiting = true;
}

/** How far another unit is with the same incident. */
export function stepOf(assignment: Assignment): UnitStatusWord {
  if (assignment.on_scene) return 'on_scene';
  if (assignment.en_route) return 'en_route';
  return assignment.acknowledged ? 'acknowledged' : 'ordered';
}

/** How an order ends whose details did not fit (`dispatch/desk/assignments.py`). */
const CUT = '… (more is in the incident)';

/**
 * What an order says beyond its head and the incident's details (DOM-ASG-10): what the dispatcher
 * said to the crew. Empty when that is nothing. Pure.
 */
export function saidIn(text: string, { assignment, incident }: Order): string {
  const lines = text.split('\n');
  const to = assignment.place ? lines.indexOf(`Go to: ${assignment.place}`) : -1;
  const head = to >= 0 ? to + 1 : incident?.place && lines[1] === incident.place ? 2 : 1;
  const said = lines.slice(head).join('\n').trim();
  const whole = said.endsWith(CUT) ? said.slice(0, -CUT.length) : said;
  const details = incident?.details?.trim() ?? '';
  return whole === details || (whole !== said && details.startsWith(whole)) ? '' : said;
}
