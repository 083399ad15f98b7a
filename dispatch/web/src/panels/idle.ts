import type { Act } from './keys';

/** What a key finds at this desk. */
export interface Found {
  incident: boolean;
  unit: boolean;
  /** Emergencies that nobody has, and all of them. */
  unowned: number;
  emergencies: number;
  /** Emergency messages that are not acknowledged. */
  messages: number;
  sounding: boolean;
  /** What waits to be sent or discarded. */
  held: number;
  requests: number;
  /** Calls that I have. */
  calls: number;
  mayTakeCalls: boolean;
  mayBreakGlass: boolean;
  /** There is a map in this window. */
  map: boolean;
  /** There is a command line in this window. */
  line: boolean;
}

/** Why a key has no effect, by the name of its sentence. */
export type Idle =
  | 'incident' | 'unit' | 'unowned' | 'emergencies' | 'messages' | 'silent' | 'held' | 'requests'
  | 'calls' | 'mayTakeCalls' | 'mayBreakGlass' | 'map' | 'line'; // prettier-ignore

/** What each key needs before it does anything; of several, the first that is missing is told. */
const NEEDS: Partial<Record<Act, readonly (keyof Found & Idle)[]>> = {
  assign: ['incident'],
  write: ['incident'],
  finish: ['incident'],
  message: ['unit'],
  own: ['unowned'],
  acknowledge: ['messages'],
  held: ['held'],
  requests: ['requests'],
  call: ['mayTakeCalls'],
  next_call: ['mayTakeCalls', 'calls'],
  glass: ['mayBreakGlass'],
  home: ['map'],
  closer: ['map'],
  farther: ['map'],
  command: ['line'],
};

/** Why a key would do nothing here; null when it does something. */
export function idle(act: Act, found: Found): Idle | null {
  if (act === 'silence') return found.sounding ? null : 'silent';
  if (act === 'emergencies') return found.emergencies > 1 ? null : 'emergencies';
  return NEEDS[act]?.find((need) => !found[need]) ?? null;
}
