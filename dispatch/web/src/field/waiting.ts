import type { Action } from '../state/actions';
import type { Tablet } from './tablet.svelte';
import type { Words } from './strings';

/** How many things wait to be sent; positions, of which there are many, count as one. */
export function waitingCount({ board, mailroom, positions, files }: Tablet): number {
  const fixes = positions.waiting > 0 ? 1 : 0;
  return board.waiting.length + mailroom.waiting + fixes + files.waiting.length;
}

/** What an action is called on the page of what waits. */
export function actionText({ what, with: body }: Action, t: Words): string {
  switch (what) {
    case 'unit.status':
      return `${t.more.status}: ${t.say[body['status'] as keyof Words['say']]}`;
    case 'incident.note':
      return `${t.more.note}: ${String(body['text']).slice(0, 60)}`;
    case 'assignment.decline':
      return `${t.more.declined}: ${String(body['reason'])}`;
    case 'emergency.press':
      return t.more.emergency;
    case 'emergency.safe':
      return t.more.safe;
    case 'welfare.answer':
      return t.more.check;
    default:
      return t.more.action;
  }
}
