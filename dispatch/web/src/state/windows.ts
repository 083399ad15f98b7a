/** The whole console in one window, or the map and the work in one each. */
export type WindowKind = 'whole' | 'map' | 'work';

/** What an address asks for: `/?window=map`, `/?window=work`. */
export function windowKind(search: string): WindowKind {
  const asked = new URLSearchParams(search).get('window');
  return asked === 'map' || asked === 'work' ? asked : 'whole';
}

/** What is to be done where the work is: a call taken, the next one shown, the list, the open one. */
const WORKS = ['take', 'next', 'list', 'open'] as const;
export interface WorkAsked {
  what: (typeof WORKS)[number];
  /** Of this request; of a call that is taken, its own. */
  key: string;
}

/**
 * What was chosen in a window: a unit, an incident (null: no more), a place (degrees) to look at,
 * or somebody to write to.
 */
export interface Chosen {
  unit?: number | null;
  incident?: number | null;
  place?: { lon: number; lat: number };
  write?: string[];
  /** A window without the work asks for it. */
  work?: WorkAsked;
  /** What was asked by this key is done. */
  works?: string;
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
  const place = said['place'] as { lon?: unknown; lat?: unknown } | undefined;
  if (typeof place?.lon === 'number' && typeof place.lat === 'number') {
    chosen.place = { lon: place.lon, lat: place.lat };
  }
  const write = said['write'];
  if (Array.isArray(write) && write.every((each) => typeof each === 'string')) chosen.write = write;
  const work = said['work'] as { what?: unknown; key?: unknown } | undefined;
  const what = WORKS.find((one) => one === work?.what);
  if (what && typeof work?.key === 'string') chosen.work = { what, key: work.key };
  if (typeof said['works'] === 'string') chosen.works = said['works'];
  return Object.keys(chosen).length > 0 ? chosen : null;
}
