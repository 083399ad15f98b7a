import type { Incident, Place } from '../../wire/items';

/** What may be changed of an incident (docs/dispatch.md, `incident.change`). */
export type FieldName = 'title' | 'type' | 'priority' | 'place' | 'details';

/** What a field is now, as text; of a type its id, empty when there is none. */
export function nowOf(incident: Incident, field: FieldName): string {
  const value = incident[field];
  return value == null ? '' : String(value);
}

/** A field's value for a person. */
export function shownOf(field: FieldName, value: string, typeName: (id: string) => string): string {
  return field === 'type' && value ? typeName(value) : value;
}

/** Where an incident is, as it is changed: words, and a point or none. */
export function placeOf(incident: Incident): Required<Place> {
  const { place = '', lon = null, lat = null } = incident;
  return { text: place, lon, lat };
}

/** What `incident.change` is asked with; a place is `now` in words and whether on the map. */
export function bodyOf(
  incident: Incident,
  field: FieldName,
  was: string,
  now: string | Required<Place>,
): Record<string, unknown> {
  const body = { incident: incident.id, field };
  if (typeof now !== 'string') {
    const { text, lon, lat } = now;
    const point = lon === null || lat === null ? {} : { lon, lat };
    return { ...body, was: { text: was }, now: { text, ...point } };
  }
  const value = (text: string): unknown =>
    field === 'priority' || field === 'type' ? (text ? Number(text) : null) : text;
  return { ...body, was: value(was), now: value(now) };
}
