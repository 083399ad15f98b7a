import type { Answer } from './http';

/** A place that may be meant, as `GET /api/places` tells it; degrees × 10⁷. */
export interface FoundPlace {
  /** Its number, where it is one of the gazetteer. */
  place?: number | null;
  name: string;
  kind: string;
  district: string | null;
  lon: number;
  lat: number;
  /** In metres. */
  precision?: number;
  /** Why it is offered. */
  reason?: string;
  /** What is to be told before it is taken. */
  doubt?: string | null;
}
export interface Places {
  /** This server can look places up. */
  available: boolean;
  found: readonly FoundPlace[];
  /** What is wrong with what was typed. */
  told: string | null;
}
type Get = <T>(path: string) => Promise<Answer<T>>;

/** Places that may be meant, the likeliest first; `near`: degrees from where it is looked. */
export async function findPlaces(
  get: Get,
  typed: string,
  near: { lon: number; lat: number } | null,
): Promise<Places> {
  const from = near ? `&near=${Math.round(near.lon * 1e7)},${Math.round(near.lat * 1e7)}` : '';
  const answer = await get<{ found?: FoundPlace[]; told?: string | null }>(
    `/api/places?q=${encodeURIComponent(typed)}${from}`,
  );
  // A server without a gazetteer has no such page, and answers with something else than JSON.
  if (!answer.ok) return { available: false, found: [], told: null };
  return { available: true, found: answer.value.found ?? [], told: answer.value.told ?? null };
}

/** What an agency wants its people to know around a place; `distance` in metres from its middle. */
export interface PlaceNote {
  id: number;
  kind: 'hazard' | 'access' | 'premise';
  text: string;
  author: string;
  distance: number;
  ends: number | null;
}
/** What is known of a point, as `GET /api/places/at` tells it; metres and degrees. */
export interface Surroundings {
  district: string | null;
  nearest: { name: string; distance: number; bearing: number } | null;
  notes: readonly PlaceNote[];
}

/** What is known around a point in degrees × 10⁷. */
export function surroundings(get: Get, lon: number, lat: number): Promise<Answer<Surroundings>> {
  return get<Surroundings>(`/api/places/at?lon=${lon}&lat=${lat}`);
}
