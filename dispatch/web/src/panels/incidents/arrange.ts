import type { Incident, IncidentPhase } from '../../wire/items';

export type Whose = 'mine' | 'agency' | 'all';
export interface BoardFilter {
  whose: Whose;
  /** Phases that are shown; none chosen: all but the closed. */
  phases: readonly IncidentPhase[];
}

export const EVERYTHING: BoardFilter = { whose: 'all', phases: [] };
export const PHASES: readonly IncidentPhase[] = [
  'waiting',
  'ordered',
  'en_route',
  'on_scene',
  'closed',
];

/** Whether an incident passes; `me` is the person, `agency` his. */
export function passes(
  incident: Incident,
  filter: BoardFilter,
  me: { person: number; agency: number },
): boolean {
  if (filter.whose === 'mine' && incident.owner !== me.person) return false;
  if (filter.whose === 'agency' && incident.agency !== me.agency) return false;
  if (filter.phases.length === 0) return incident.phase !== 'closed';
  return filter.phases.includes(incident.phase);
}

/** The most urgent first, of equals the oldest; closed ones last, the one closed last first. */
export function byUrgency(a: Incident, b: Incident): number {
  const closed = Number(a.phase === 'closed') - Number(b.phase === 'closed');
  if (closed !== 0) return closed;
  if (a.phase === 'closed') return (b.closed ?? 0) - (a.closed ?? 0) || a.id - b.id;
  return a.priority - b.priority || a.opened - b.opened || a.id - b.id;
}

/**
 * What has come while somebody is in the list, in the wanted order: of these what stood already as
 * `fresh`, and what does not stand yet. In a list that was empty nothing is overlooked.
 */
export function newcomers(
  stands: readonly number[],
  wanted: readonly number[],
  fresh: readonly number[],
): readonly number[] {
  if (stands.length === 0) return [];
  const old = new Set(stands.filter((id) => !fresh.includes(id)));
  return wanted.filter((id) => !old.has(id));
}

/**
 * The order in which rows stand. While somebody is in the list (`held`) nothing that is there
 * changes its place: what is new comes last, what has gone leaves. Otherwise it is the wanted one.
 */
export function settle(
  stands: readonly number[],
  wanted: readonly number[],
  held: boolean,
): readonly number[] {
  if (!held) return wanted;
  const there = new Set(wanted);
  const stays = stands.filter((id) => there.has(id));
  const known = new Set(stays);
  return [...stays, ...wanted.filter((id) => !known.has(id))];
}
