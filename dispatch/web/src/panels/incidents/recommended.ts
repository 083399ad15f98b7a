import type { Answer } from '../../state/http';

/** A unit of one's own agency, as the server ranks it (docs/dispatch.md). */
export interface Choice {
  unit: number;
  agency: number;
  callsign: string;
  /** Until it can be there. */
  seconds: number;
  metres: number;
  diverted: boolean;
  reason: string;
}
export interface NeedRanked {
  count: number;
  kinds: string[];
  capabilities: string[];
  choices: Choice[];
  /** Units that are suggested for it. */
  team: number[];
  notes: string[];
}
export interface Recommended {
  incident: number;
  needs: NeedRanked[];
}

/**
 * Whom the server would send to an incident, or to a point (degrees × 10⁷) instead, with its reasons
 * in the language that is spoken.
 */
export function recommendation(
  get: <T>(path: string) => Promise<Answer<T>>,
  incident: number,
  language: string,
  instead: { lon: number; lat: number } | null,
): Promise<Answer<Recommended>> {
  const there = instead ? `&lon=${instead.lon}&lat=${instead.lat}` : '';
  return get(`/api/incidents/${incident}/recommendation?language=${language}${there}`);
}

/** By unit: the best that is said of it over all needs, in the order of the first need it fits. */
export function byUnit(needs: readonly NeedRanked[]): Map<number, Choice> {
  const found = new Map<number, Choice>();
  for (const { choices } of needs) {
    for (const choice of choices) if (!found.has(choice.unit)) found.set(choice.unit, choice);
  }
  return found;
}

/** Units that are suggested. */
export function wholeTeam(needs: readonly NeedRanked[]): number[] {
  return needs.flatMap(({ team }) => team);
}

/** `11 min`, `1 h 5 min`; under a minute `<1 min`. */
export function inTime(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return '<1 min';
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}
