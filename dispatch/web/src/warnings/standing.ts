import type { DeskMessage, InForce } from '../wire/items';
import type { MessageEnd, Stage } from './answers';

/** How a message stands for those who warn: on its way, or what became of what was sent. */
export type State =
  Exclude<Stage, 'sent'> | 'in_force' | 'replaced' | 'cancelled' | 'expired' | 'called_off';

/** A line of the list. */
export interface Line {
  message: DeskMessage;
  state: State;
  area: string;
  /** When it is over by itself. */
  ends: number | null;
}

/**
 * What has become of a message (DOM-WRN-11): a later one that was sent of its warning replaces or
 * cancels it, its end ends it; a Cancel itself calls off, and nothing more.
 */
export function stateOf(
  message: DeskMessage,
  messages: readonly DeskMessage[],
  ends: number | null,
  now: number,
): State {
  if (message.stage !== 'sent') return message.stage;
  if (message.kind === 'Cancel') return 'called_off';
  const later = messages
    .filter(
      ({ warning, stage, id }) =>
        warning === message.warning && stage === 'sent' && id !== message.id,
    )
    .filter(({ sent }) => (sent ?? 0) > (message.sent ?? 0))
    .sort((a, b) => (a.sent ?? 0) - (b.sent ?? 0))[0];
  if (later) return later.kind === 'Cancel' ? 'cancelled' : 'replaced';
  return ends !== null && ends <= now ? 'expired' : 'in_force';
}

const GROUP: Record<State, number> = {
  checked: 0,
  approved: 0,
  draft: 0,
  in_force: 1,
  called_off: 2,
  replaced: 2,
  cancelled: 2,
  expired: 2,
  dropped: 2,
};

/** What is being done first, then what is in force, then what is over; the newest first in each. */
export function lines(
  messages: readonly DeskMessage[],
  ends: ReadonlyMap<number, MessageEnd>,
  inForce: readonly InForce[],
  now: number,
): Line[] {
  return messages
    .map((message) => {
      const known = ends.get(message.id);
      const told = inForce.find(({ id }) => id === message.id);
      const over = told?.ends ?? known?.ends ?? null;
      const state = stateOf(message, messages, over, now);
      return { message, state, area: known?.area ?? told?.area ?? '', ends: over };
    })
    .sort((a, b) => GROUP[a.state] - GROUP[b.state] || b.message.id - a.message.id);
}

/** Which of the three parts of the list a line is in. */
export const groupOf = (state: State): 'work' | 'force' | 'over' =>
  (['work', 'force', 'over'] as const)[GROUP[state]] ?? 'over';
