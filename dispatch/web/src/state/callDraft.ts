/** What is typed of a call, and what of it the server has yet to get. Pure. */
import type { Call, Place } from '../wire/items';
import { MOST, surplus } from './format';
import { meant } from './points';

export interface Fields {
  line: Call['line'];
  caller_name: string;
  caller_number: string;
  place: Required<Place>;
  type: number | null;
  notes: string;
}
export type Field = keyof Fields;

/** What is chosen for the end of a call; nothing of it is on the server before that. */
export interface Ending {
  /** None: made of type and place. */
  title: string | null;
  /** None: the type's. */
  priority: number | null;
  reason: string;
  incident: string;
}

/** A draft as it lies in the browser's storage. */
export interface Kept {
  call: number | null;
  /** With what it was taken: asked again, it must be asked alike. */
  line: Call['line'];
  fields: Fields;
  unsent: Field[];
  ending: Ending;
}

export const LONGEST = {
  caller_name: MOST.title,
  caller_number: MOST.title,
  place: MOST.title,
  notes: MOST.text,
} as const satisfies Partial<Record<Field, number>>;
export const NO_ENDING: Ending = { title: null, priority: null, reason: '', incident: '' };

export const noFields = (line: Call['line']): Fields => ({
  line,
  caller_name: '',
  caller_number: '',
  place: { text: '', lon: null, lat: null },
  type: null,
  notes: '',
});

/** What is typed of a call on the board. */
export const fieldsOf = (call: Call): Fields => ({
  line: call.line,
  caller_name: call.caller_name ?? '',
  caller_number: call.caller_number ?? '',
  place: { text: call.place ?? '', lon: call.lon ?? null, lat: call.lat ?? null },
  type: call.type ?? null,
  notes: call.notes ?? '',
});

/** By how many characters a field is longer than the server takes it. */
export function over(fields: Fields, field: Field): number {
  const most = (LONGEST as Partial<Record<Field, number>>)[field];
  const value = field === 'place' ? fields.place.text : fields[field];
  return most && typeof value === 'string' ? surplus(value, most) : 0;
}

/** The fields to send of those that are unsent. */
export function toSend(fields: Fields, unsent: readonly Field[]): Partial<Fields> {
  const ready = unsent.filter((field) => over(fields, field) === 0);
  return Object.fromEntries(ready.map((field) => [field, clean(fields[field])]));
}

/** No text holds a NUL character on the server. */
function clean(value: Fields[Field]): Fields[Field] {
  if (typeof value === 'string') return value.replaceAll('\0', '') as Call['line'];
  if (value !== null && typeof value === 'object') {
    return meant({ ...value, text: value.text.replaceAll('\0', '') });
  }
  return value;
}

/** The title an incident gets when nobody says another: what, and where. */
export function titleOf(type: string, place: string): string {
  const where = place.trim();
  const whole = type && where ? `${type}, ${where}` : type || where;
  return [...whole].slice(0, 200).join('');
}

/** `C26-5` of `BPD-C26-00005`: enough within an agency. */
export const shortNumber = (number: string): string =>
  number.replace(/^.*-(C\d+)-0*(\d+)$/, '$1-$2');
