import { viewOf, type View } from './layout';
import type { MapSaid } from './mapWindow';

/** The whole console in one window, or the map and the work in one each. */
export type WindowKind = 'whole' | 'map' | 'work';

/** What an address asks for: `/?window=map`, `/?window=work`. */
export function windowKind(search: string): WindowKind {
  const asked = new URLSearchParams(search).get('window');
  return asked === 'map' || asked === 'work' ? asked : 'whole';
}

const NAME = 'psn:window';

/**
 * The name of this window: the same after a reload, and never another's. A browser copies what lies
 * in `sessionStorage` into windows that are opened from here, so the name lies there only while the
 * page is away.
 */
export function windowName(
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
  page: Pick<EventTarget, 'addEventListener'>,
  fresh: () => string,
): string {
  const put = (act: () => void): void => {
    try {
      act();
    } catch {
      // After a reload it is another window then, which takes over what this one left.
    }
  };
  let kept: string | null = null;
  put(() => (kept = storage.getItem(NAME)));
  put(() => storage.removeItem(NAME));
  const name = kept ?? fresh();
  page.addEventListener('pagehide', () => put(() => storage.setItem(NAME, name)));
  page.addEventListener('pageshow', () => put(() => storage.removeItem(NAME)));
  return name;
}

/** What somebody has silenced: messages, emergencies with how often they had been pressed. */
export interface Silenced {
  messages: string[];
  emergencies: [number, number][];
}

/**
 * What is to be done where the work is: a call taken, the next one shown, the list, the open one; a
 * note or the end of the open incident; a new message, the conversations.
 */
const WORKS = ['take', 'next', 'list', 'open', 'note', 'close', 'new', 'conversations'] as const;
export interface WorkAsked {
  what: (typeof WORKS)[number];
  /** Of this request; of a call that is taken, its own. */
  key: string;
}

/**
 * What was chosen in a window: a unit, an incident (null: no more), a place (degrees) to look at,
 * or somebody to write to; and what counts in every window: messages that were read, alarms that
 * were silenced.
 */
export interface Chosen {
  unit?: number | null;
  incident?: number | null;
  place?: { lon: number; lat: number };
  write?: string[];
  read?: string[];
  silenced?: Silenced;
  /** A window without the work asks for it. */
  work?: WorkAsked;
  /** What was asked by this key is done. */
  works?: string;
  /** A window with only the map is here, goes, or is looked for. */
  map?: MapSaid;
  /** What the map shows. */
  view?: View;
  /** The layout of this name is chosen. */
  layout?: string;
  /** A window without the map asks for a place that is clicked there, or no more. */
  pointing?: boolean;
  /** It was clicked: degrees. */
  pointed?: { lon: number; lat: number };
}

const texts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

const pairs = (value: unknown): value is [number, number][] =>
  Array.isArray(value) &&
  value.every(
    (each: unknown) =>
      Array.isArray(each) && each.length === 2 && each.every((one) => Number.isInteger(one)),
  );

function mapSaid(value: unknown): MapSaid | null {
  const { what, window } = (value ?? {}) as { what?: unknown; window?: unknown };
  const known = (['here', 'gone', 'who'] as const).find((one) => one === what);
  return known && typeof window === 'string' ? { what: known, window } : null;
}

/** What another window says, if it is the same person's and can be meant. */
export function chosenBy(data: unknown, me: string | null): Chosen | null {
  if (typeof data !== 'object' || data === null || me === null) return null;
  const said = data as Record<string, unknown>;
  if (said['me'] !== me) return null;
  const chosen: Chosen = {};
  for (const field of ['unit', 'incident'] as const) {
    const id = said[field];
    if (id === null || (typeof id === 'number' && Number.isInteger(id))) chosen[field] = id;
  }
  for (const field of ['place', 'pointed'] as const) {
    const place = said[field] as { lon?: unknown; lat?: unknown } | undefined;
    if (typeof place?.lon === 'number' && typeof place.lat === 'number') {
      chosen[field] = { lon: place.lon, lat: place.lat };
    }
  }
  for (const field of ['write', 'read'] as const) {
    const list = said[field];
    if (texts(list)) chosen[field] = list;
  }
  const silenced = said['silenced'] as { messages?: unknown; emergencies?: unknown } | undefined;
  if (texts(silenced?.messages) && pairs(silenced.emergencies)) {
    const { messages, emergencies } = silenced;
    chosen.silenced = { messages, emergencies };
  }
  const work = said['work'] as { what?: unknown; key?: unknown } | undefined;
  const what = WORKS.find((one) => one === work?.what);
  if (what && typeof work?.key === 'string') chosen.work = { what, key: work.key };
  const { works, layout, pointing } = said;
  if (typeof pointing === 'boolean') chosen.pointing = pointing;
  if (typeof works === 'string') chosen.works = works;
  if (typeof layout === 'string') chosen.layout = layout;
  const map = mapSaid(said['map']);
  if (map) chosen.map = map;
  const view = viewOf(said['view']);
  if (view) chosen.view = view;
  return Object.keys(chosen).length > 0 ? chosen : null;
}
