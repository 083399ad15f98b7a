/** What waited too long to be sent by itself. Pure. */
import type { Action } from './actions';

/**
 * For so long after it was asked for (milliseconds) something is sent by itself. Longer than a
 * reload, a server that begins anew, a hole in the network; shorter than it takes until things have
 * changed, or somebody has helped himself by radio and gone home.
 */
export const SENT_BY_ITSELF = 5 * 60_000;

/** Whether it was asked for too long ago. Times are the server's (ms UTC). */
export type TooOld<T> = (what: T, now: number) => boolean;

export const tooOld: TooOld<{ time: number }> = ({ time }, now) => now - time > SENT_BY_ITSELF;

/** What is said of a call is a record of what a caller said, and moves nobody: it goes, in order. */
const RECORD: readonly string[] = ['call.take', 'call.change'];

export const tooOldToDo: TooOld<Action> = (action, now) =>
  !RECORD.includes(action.what) && tooOld(action, now);
