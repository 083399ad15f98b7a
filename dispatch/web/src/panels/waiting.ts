/** What has not reached the server, each in words. */
import type { Action } from '../state/actions';
import type { Console } from '../state/console.svelte';
import { deedText, type Named } from '../state/deeds';
import type { Waiting } from '../state/outbox';
import { strings } from '../strings';

export interface Unsent {
  id: string;
  /** When it was asked for; none of what is still being typed. */
  time: number | null;
  /** It went out once: perhaps it was done. */
  tried: boolean;
  says: string;
}

/** What units and incidents are called at this desk. */
export const namedAt = (desk: Console): Named => ({
  unit: (id) => desk.picture.unit(id)?.callsign ?? `#${id}`,
  incident: (id) => desk.board?.get('incident', id)?.number ?? `#${id}`,
});

function ofAction(desk: Console, { id, time, tried, ...action }: Action): Unsent {
  return { id, time, tried: tried ?? false, says: deedText(action, namedAt(desk)) };
}

function ofMessage(desk: Console, { id, time, tried, to, text }: Waiting): Unsent {
  const names = to.map((address) => desk.name(address)).join(', ');
  return { id, time, tried: tried ?? false, says: strings.held.message(names, text) };
}

/** What nobody sends by itself any more, the oldest first; what is said of emergencies before it. */
export function heldOf(desk: Console): Unsent[] {
  const actions = desk.board?.held ?? [];
  const urgent = actions.filter(({ what }) => what.startsWith('emergency.'));
  const rest = [
    ...actions.filter((action) => !urgent.includes(action)).map((one) => ofAction(desk, one)),
    ...(desk.mailroom?.held ?? []).map((one) => ofMessage(desk, one)),
  ];
  rest.sort((a, b) => (a.time ?? 0) - (b.time ?? 0));
  return [...urgent.map((one) => ofAction(desk, one)), ...rest];
}

/** All of it, also what goes by itself when it can. */
export function unsentOf(desk: Console): Unsent[] {
  const words = strings.held;
  const typed = (desk.calls?.drafts ?? []).filter(({ unsent }) => unsent.length > 0);
  return [
    ...(desk.board?.waiting ?? []).map((one) => ofAction(desk, one)),
    ...(desk.mailroom?.unsent ?? []).map((one) => ofMessage(desk, one)),
    ...typed.map(({ key, number }) => ({
      id: `call ${key}`,
      time: null,
      tried: false,
      says: number ? words.call(number) : words.newCall,
    })),
  ];
}
