import { meant } from '../../state/points';
import type { Incident, Place } from '../../wire/items';

/** What may be changed of an incident (docs/dispatch.md, `incident.change`). */
export type FieldName = 'title' | 'type' | 'priority' | 'place' | 'details';

/** A change that is being typed. */
export interface Change {
  open: boolean;
  /** What the field was when the change was begun. */
  base: string;
  text: string;
  /** Where it was then, and where it is to be: only of a place. */
  from: Required<Place>;
  spot: Required<Place>;
}
const NOWHERE: Required<Place> = { text: '', lon: null, lat: null };
export const UNCHANGED: Change = { open: false, base: '', text: '', from: NOWHERE, spot: NOWHERE };

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

function said({ text, lon, lat }: Required<Place>): Place {
  return lon === null || lat === null ? { text } : { text, lon, lat };
}

/** What `incident.change` is asked with; of a place, with where it was believed to be. */
export function bodyOf(
  incident: Incident,
  field: FieldName,
  was: string,
  now: string | { from: Required<Place>; to: Required<Place> },
): Record<string, unknown> {
  const body = { incident: incident.id, field };
  if (typeof now !== 'string') {
    return { ...body, was: { ...said(now.from), text: was }, now: meant(said(now.to)) };
  }
  const value = (text: string): unknown =>
    field === 'priority' || field === 'type' ? (text ? Number(text) : null) : text;
  return { ...body, was: value(was), now: value(now) };
}
