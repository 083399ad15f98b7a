import { degreesMinutes } from '../../state/format';
import { fold } from '../../state/filter';
import type { IncidentType, Need, Station } from '../../wire/items';

/** What an agency has beforehand, as the interface answers it; times are milliseconds UTC. */

export interface CrewedUnit {
  id: number;
  callsign: string;
  kind: string;
  capabilities: string[];
  station: number | null;
  telephone: string | null;
}
export interface Member {
  name: string;
  role?: string;
  person?: number | null;
}
export interface Shift {
  id: number;
  unit: number;
  starts: number;
  ends: number;
  crew: Member[];
}
export interface Crews {
  units: CrewedUnit[];
  shifts: Shift[];
}
export type FenceEvent = 'in' | 'out' | 'dwell' | 'speed';
export interface FenceRule {
  id: number;
  fence: number;
  fence_name: string;
  what: FenceEvent;
  unit: number | null;
  /** None where the unit is not shown any more. */
  callsign: string | null;
  kind: string | null;
  /** Of `dwell` seconds, of `speed` centimetres a second. */
  threshold: number | null;
  author: string;
  since: number;
}
export type PlaceKind =
  'settlement' | 'landmark' | 'caye' | 'pier' | 'junction' | 'bridge' | 'mark' | 'mile_marker';
export interface OwnPlace {
  id: number;
  name: string;
  kind: PlaceKind;
  other_names: string[];
  district: string | null;
  lon: number;
  lat: number;
  road: string | null;
  mile: number | null;
  source: string;
  retired: boolean;
}
export type NoteKind = 'hazard' | 'premise' | 'access';
export interface PlaceNote {
  id: number;
  kind: NoteKind;
  text: string;
  author: string;
  place: number | null;
  name: string | null;
  lon: number;
  lat: number;
  radius: number;
  starts: number;
  ends: number | null;
}
export type { IncidentType, Need, Station };

/** Where something is to be; `place` is its number where it is one of the gazetteer. */
export interface Spot {
  name: string;
  lon: number;
  lat: number;
  place: number | null;
  doubt: string | null;
}

/** `First aid` as programs write it: `first_aid`. */
export function asWord(typed: string): string {
  return fold(typed.trim())
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
}

/** Degrees × 10⁷ as on a chart: `17° 29.970′ N 88° 11.856′ W`. */
export function onChart(lon: number, lat: number): string {
  return `${degreesMinutes(lat / 1e7, 'N', 'S')} ${degreesMinutes(lon / 1e7, 'E', 'W')}`;
}

/** Centimetres a second in one kilometre an hour, and in one knot. */
const SPEEDS = { kmh: 100_000 / 3600, knots: 185_200 / 3600 };
export type SpeedMeasure = keyof typeof SPEEDS;

/** What a rule is told: whole centimetres a second. */
export const asThreshold = (speed: number, measure: SpeedMeasure): number =>
  Math.round(speed * SPEEDS[measure]);

/** The same back, to a tenth: `30`, `16.2`. */
export const speedIn = (threshold: number, measure: SpeedMeasure): string =>
  String(Math.round((threshold / SPEEDS[measure]) * 10) / 10);
