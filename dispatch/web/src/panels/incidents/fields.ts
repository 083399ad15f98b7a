import type { Incident } from '../../wire/items';
import type { Point } from './candidates';

/** What may be changed of an incident (docs/dispatch.md, `incident.change`). */
export type FieldName = 'title' | 'type' | 'priority' | 'place' | 'details';
/** Where a place lies from now on: where it did, at a point that was chosen, or nowhere. */
export type PointChoice = 'keep' | 'centre' | 'unit' | 'none';

/** What a field is now, as text; of a type its id, empty when there is none. */
export function nowOf(incident: Incident, field: FieldName): string {
  const value = incident[field];
  return value == null ? '' : String(value);
}

/** A field's value for a person. */
export function shownOf(field: FieldName, value: string, typeName: (id: string) => string): string {
  return field === 'type' && value ? typeName(value) : value;
}

/** What `incident.change` is asked with; `at`: the point that was chosen, degrees. */
export function bodyOf(
  incident: Incident,
  field: FieldName,
  was: string,
  now: string,
  point: PointChoice = 'keep',
  at: Point | null = null,
): Record<string, unknown> {
  const body = { incident: incident.id, field };
  if (field === 'place') {
    return { ...body, was: { text: was }, now: { text: now, ...spot(incident, point, at) } };
  }
  const value = (text: string): unknown =>
    field === 'priority' || field === 'type' ? (text ? Number(text) : null) : text;
  return { ...body, was: value(was), now: value(now) };
}

function spot(
  incident: Incident,
  point: PointChoice,
  at: Point | null,
): { lon?: number; lat?: number } {
  if (at) return { lon: Math.round(at.lon * 1e7), lat: Math.round(at.lat * 1e7) };
  if (point !== 'keep' || incident.lon == null || incident.lat == null) return {};
  return { lon: incident.lon, lat: incident.lat };
}
