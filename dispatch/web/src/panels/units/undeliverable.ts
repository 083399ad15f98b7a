import { work } from '../../strings.work';
import type { Assignment } from '../../wire/items';

/** Whether an order cannot reach its crew any more, and nobody has said that the crew knows. */
export function undeliverable(assignment: Assignment | undefined): boolean {
  if (assignment?.refused == null) return false;
  const { acknowledged, en_route, on_scene, ended } = assignment;
  return [acknowledged, en_route, on_scene, ended].every((step) => step == null);
}

/** Whether it helps to send it again as it is (docs/dispatch.md, Refusals). */
export function sentAgain(assignment: Assignment): boolean {
  return undeliverable(assignment) && assignment.refusal !== 'not_storable';
}

/** Why it cannot be delivered, and what to do, in a sentence or two. */
export function whyUndeliverable(assignment: Assignment): string {
  const { why, todo, todoOtherWords } = work.undeliverable;
  const reason = why[assignment.refusal as keyof typeof why] ?? why.refused;
  return `${reason} ${sentAgain(assignment) ? todo : todoOtherWords}`;
}
