import { EVERYTHING, PHASES, type BoardFilter } from '../panels/incidents/arrange';
import { NO_FILTER, ORDERS, type Filter, type Order } from './filter';

export type ListTab = 'incidents' | 'units' | 'alarms' | 'watch';
export type Panel = 'calls' | 'incident' | 'messages' | 'activity';
export const TABS: readonly ListTab[] = ['incidents', 'units', 'alarms', 'watch'];
const PANELS: readonly Panel[] = ['calls', 'incident', 'messages', 'activity'];
const THEMES = ['auto', 'dark', 'light'] as const;

/** What the map shows: its middle, degrees, and its zoom. */
export interface View {
  lon: number;
  lat: number;
  zoom: number;
}

/** What a window comes back with after a reload. */
export interface Arrangement {
  list: ListTab;
  filter: BoardFilter;
  panel: Panel;
  view: View | null;
}

/** What is kept under a name, besides: what is shown of the units, and how light the screen is. */
export interface Layout extends Arrangement {
  units: Filter;
  order: Order;
  theme: (typeof THEMES)[number];
}

const one = <T>(of: readonly T[], value: unknown, otherwise: T): T =>
  of.find((each) => each === value) ?? otherwise;

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** If it can be one. */
export function viewOf(value: unknown): View | null {
  const { lon, lat, zoom } = record(value);
  const there = [lon, lat, zoom].every((each) => Number.isFinite(each));
  return there ? { lon: Number(lon), lat: Number(lat), zoom: Number(zoom) } : null;
}

function board(value: unknown): BoardFilter {
  const { whose, phases } = record(value);
  return {
    whose: one(['mine', 'agency', 'all'] as const, whose, EVERYTHING.whose),
    phases: Array.isArray(phases) ? PHASES.filter((each) => phases.includes(each)) : [],
  };
}

/** As it lies in the browser's storage; what cannot be read is as for a newcomer. */
export function arrangementOf(kept: unknown): Arrangement {
  const of = record(kept);
  return {
    list: one(TABS, of['list'], 'units'),
    filter: board(of['filter']),
    panel: one(PANELS, of['panel'], 'messages'),
    view: viewOf(of['view']),
  };
}

export function layoutOf(kept: unknown): Layout {
  const of = record(kept);
  const units = record(of['units']);
  const without = Array.isArray(units['without']) ? units['without'] : [];
  return {
    ...arrangementOf(kept),
    units: {
      text: typeof units['text'] === 'string' ? units['text'] : NO_FILTER.text,
      without: new Set(without.filter((id): id is number => Number.isInteger(id))),
      online: units['online'] === true,
      stale: units['stale'] === true,
    },
    order: one(ORDERS, of['order'], 'callsign'),
    theme: one(THEMES, of['theme'], 'auto'),
  };
}

/** For the storage, which knows no sets. */
export const written = (layout: Layout): object => ({
  ...layout,
  units: { ...layout.units, without: [...layout.units.without] },
});
