/** What forms hold while somebody types, and what of it is sent. */
import { belizeField, belizeMoment } from '../moments';
import {
  asThreshold,
  asWord,
  type CrewedUnit,
  type FenceEvent,
  type IncidentType,
  type Member,
  type NoteKind,
  type OwnPlace,
  type PlaceKind,
  type PlaceNote,
  type SpeedMeasure,
  type Spot,
  type Station,
} from './beforehand';

/** Numbers lines, so that each keeps its field however they are ordered. */
let lines = 0;
export const nextKey = (): number => ++lines;

export interface Line {
  key: number;
  text: string;
}
export interface NeedLine {
  key: number;
  count: number | null;
  kinds: string[];
  capabilities: string[];
}
export interface KindDraft {
  name: string;
  nameEs: string;
  code: string;
  priority: number;
  checklist: Line[];
  plan: NeedLine[];
  scene: number | null;
  contact: number | null;
}

export function kindDraft(row: IncidentType | null): KindDraft {
  return {
    name: row?.name ?? '',
    nameEs: row?.name_es ?? '',
    code: row?.code ?? '',
    priority: row?.priority ?? 3,
    checklist: (row?.checklist ?? []).map((text) => ({ key: nextKey(), text })),
    plan: (row?.plan ?? []).map((need) => ({
      key: nextKey(),
      count: need.count ?? 1,
      kinds: [...(need.kinds ?? [])],
      capabilities: [...(need.capabilities ?? [])],
    })),
    scene: row?.scene_minutes ?? null,
    contact: row?.contact_minutes ?? null,
  };
}

export function kindBody(draft: KindDraft, id: number | null): object {
  return {
    id,
    code: asWord(draft.code),
    name: draft.name.trim(),
    name_es: draft.nameEs.trim(),
    priority: draft.priority,
    checklist: draft.checklist.map((line) => line.text.trim()).filter(Boolean),
    plan: draft.plan.map(({ count, kinds, capabilities }) => ({
      count: count ?? 1,
      kinds: [...kinds],
      capabilities: [...capabilities],
    })),
    scene_minutes: draft.scene ?? null,
    contact_minutes: draft.contact ?? null,
  };
}

export interface Placing {
  typed: string;
  spot: Spot | null;
}

function placing(row: { name?: string | null; lon: number; lat: number } | null): Placing {
  if (!row) return { typed: '', spot: null };
  const spot = { name: row.name ?? '', lon: row.lon, lat: row.lat, place: null, doubt: null };
  return { typed: '', spot };
}

export interface StationDraft extends Placing {
  name: string;
}

export function stationDraft(row: Station | null): StationDraft {
  return { name: row?.name ?? '', ...placing(row) };
}

export interface ProfileDraft {
  capabilities: string[];
  station: number | null;
  telephone: string;
}

export function profileDraft(row: CrewedUnit | null): ProfileDraft {
  return {
    capabilities: [...(row?.capabilities ?? [])],
    station: row?.station ?? null,
    telephone: row?.telephone ?? '',
  };
}

export interface MemberLine {
  key: number;
  name: string;
  role: string;
}
export interface ShiftDraft {
  unit: number | null;
  starts: string;
  ends: string;
  crew: MemberLine[];
}

export function shiftDraft(): ShiftDraft {
  return { unit: null, starts: '', ends: '', crew: [{ key: nextKey(), name: '', role: '' }] };
}

/** Whoever is called as one of the agency's people is he. */
export function shiftBody(
  draft: ShiftDraft,
  people: readonly { id: number; full_name: string }[],
): { unit: number; starts: number; ends: number; crew: Member[] } | null {
  const starts = belizeMoment(draft.starts);
  const ends = belizeMoment(draft.ends);
  if (draft.unit === null || starts === null || ends === null) return null;
  const crew = draft.crew
    .map(({ name, role }) => ({ name: name.trim(), role: role.trim() }))
    .filter(({ name }) => name !== '')
    .map((member) => ({
      ...member,
      person: people.find((one) => one.full_name === member.name)?.id ?? null,
    }));
  return { unit: draft.unit, starts, ends, crew };
}

export interface RuleDraft {
  fence: number | null;
  what: FenceEvent;
  minutes: number | null;
  speed: number | null;
  measure: SpeedMeasure;
  whom: 'all' | 'kind' | 'unit';
  kind: string;
  unit: number | null;
}

export function ruleDraft(): RuleDraft {
  return {
    fence: null,
    what: 'in',
    minutes: null,
    speed: null,
    measure: 'kmh',
    whom: 'all',
    kind: '',
    unit: null,
  };
}

export function ruleBody(draft: RuleDraft): object {
  const threshold =
    draft.what === 'dwell'
      ? Math.round((draft.minutes ?? 0) * 60)
      : draft.what === 'speed'
        ? asThreshold(draft.speed ?? 0, draft.measure)
        : null;
  return {
    fence: draft.fence,
    what: draft.what,
    threshold,
    kind: draft.whom === 'kind' ? draft.kind : null,
    unit: draft.whom === 'unit' ? draft.unit : null,
  };
}

export interface PlaceDraft extends Placing {
  name: string;
  kind: PlaceKind;
  otherNames: string[];
  road: string;
  mile: number | null;
  anywhere: boolean;
}

export function placeDraft(row: OwnPlace | null): PlaceDraft {
  return {
    name: row?.name ?? '',
    kind: row?.kind ?? 'landmark',
    otherNames: [...(row?.other_names ?? [])],
    road: row?.road ?? '',
    mile: row?.mile ?? null,
    anywhere: false,
    ...placing(row && { lon: row.lon, lat: row.lat }),
  };
}

export function placeBody(draft: PlaceDraft, spot: Spot): object {
  const marker = draft.kind === 'mile_marker';
  return {
    name: draft.name.trim(),
    kind: draft.kind,
    lon: spot.lon,
    lat: spot.lat,
    other_names: [...draft.otherNames],
    road: marker && draft.road.trim() ? draft.road.trim() : null,
    mile: marker ? (draft.mile ?? null) : null,
    anywhere: draft.anywhere,
  };
}

export interface NoteDraft extends Placing {
  kind: NoteKind;
  text: string;
  radius: number | null;
  end: string;
}

export function noteDraft(row: PlaceNote | null): NoteDraft {
  return {
    kind: row?.kind ?? 'hazard',
    text: row?.text ?? '',
    radius: row?.radius ?? 200,
    end: row?.ends ? belizeField(row.ends) : '',
    ...placing(row),
  };
}

/** A note about a place of the gazetteer goes where the place goes; else it is at a point. */
export function noteBody(draft: NoteDraft, spot: Spot): object {
  const at = spot.place === null ? { lon: spot.lon, lat: spot.lat } : { place: spot.place };
  return { kind: draft.kind, ...noteChange(draft), ...at };
}

export function noteChange(draft: NoteDraft): object {
  return { text: draft.text, radius: draft.radius, ends: belizeMoment(draft.end) };
}
