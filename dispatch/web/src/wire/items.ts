/**
 * What stands on boards, as docs/dispatch.md lists it. Times are milliseconds UTC, longitude and
 * latitude degrees × 10⁷. A field that is missing has its plain value: empty, or none.
 */

export interface Place {
  text?: string;
  lon?: number | null;
  lat?: number | null;
}
interface Placed {
  place?: string;
  lon?: number | null;
  lat?: number | null;
}

export interface Call extends Placed {
  is: 'call';
  id: number;
  agency: number;
  number: string;
  line: '911' | '90' | 'agency' | 'radio' | 'walk_in' | 'web' | 'program';
  state: 'waiting' | 'taken' | 'incident' | 'joined' | 'closed';
  received: number;
  caller_name?: string;
  caller_number?: string;
  type?: number | null;
  notes?: string;
  taken_by?: number | null;
  taken_by_name?: string | null;
  taken?: number | null;
  ended?: number | null;
  incident?: number | null;
  outcome?: string | null;
}
export type IncidentPhase = 'waiting' | 'ordered' | 'en_route' | 'on_scene' | 'closed';
export interface CheckLine {
  text: string;
  done: number | null;
  by: string | null;
}
export interface Incident extends Placed {
  is: 'incident';
  id: number;
  agency: number;
  number: string;
  title: string;
  /** 1 (life in danger now) to 5. */
  priority: number;
  phase: IncidentPhase;
  opened: number;
  agencies: number[];
  units: number[];
  type?: number | null;
  type_name?: string | null;
  type_name_es?: string | null;
  details?: string;
  owner?: number | null;
  owner_name?: string | null;
  checklist?: CheckLine[];
  links?: number[];
  /** The newest sequence of its log. */
  log?: number;
  closed?: number | null;
  outcome?: string | null;
}
export interface Assignment {
  is: 'assignment';
  id: number;
  incident: number;
  unit: number;
  agency: number;
  /** Id of the order, a message in the unit's mailbox. */
  order: string;
  ordered: number;
  ordered_by: string;
  /** Where it goes, when that is not where the incident is; degrees × 10⁷. */
  place?: string;
  lon?: number | null;
  lat?: number | null;
  contact: number;
  sent?: number | null;
  /** The record has refused the order for good: it cannot be delivered any more. */
  refused?: number | null;
  /** The code with which it did. */
  refusal?: string | null;
  delivered?: number | null;
  acknowledged?: number | null;
  en_route?: number | null;
  on_scene?: number | null;
  ended?: number | null;
  /** What became of the order by SMS, since when, and why not. */
  sms?: SmsState | null;
  sms_at?: number | null;
  sms_problem?: string | null;
  outcome?: 'cleared' | 'recalled' | 'declined' | 'diverted' | null;
}
export type SmsState =
  'waiting' | 'handing' | 'handed' | 'delivered' | 'failed' | 'uncertain' | 'dropped';
export type UnitStatusWord =
  | 'off_duty'
  | 'out_of_service'
  | 'busy'
  | 'available'
  | 'ordered'
  | 'acknowledged'
  | 'en_route'
  | 'on_scene';
export interface CrewMember {
  name: string;
  role?: string;
  person?: number | null;
}
export interface UnitItem {
  is: 'unit';
  id: number;
  status: UnitStatusWord;
  since: number;
  source?: string;
  note?: string;
  capabilities?: string[];
  station?: number | null;
  crew?: CrewMember[];
  assignment?: number | null;
  incident?: number | null;
}
/** The telephone that a unit carries, under the id of the unit; for its own agency. */
export interface Telephone {
  is: 'telephone';
  id: number;
  agency: number;
  number: string;
}
export interface Emergency {
  is: 'emergency';
  id: number;
  unit: number;
  agency: number;
  source: 'tablet' | 'console' | 'radio' | 'man_down';
  raised: number;
  said: number;
  /** When it was pressed last, as said. */
  pressed: number;
  presses?: number;
  owner?: number | null;
  owner_name?: string | null;
  owner_agency?: number | null;
  owned?: number | null;
  unit_safe?: number | null;
  desk_safe?: number | null;
}
/** Where the button was pressed, under the id of the emergency; for those shown the unit exactly. */
export interface EmergencyPlace {
  is: 'emergency_place';
  id: number;
  unit: number;
  lon: number;
  lat: number;
}
export type AlarmKind =
  | 'call_unanswered'
  | 'incident_unassigned'
  | 'invitation_unanswered'
  | 'order_undelivered'
  | 'order_unacknowledged'
  | 'overdue_on_scene'
  | 'no_contact'
  | 'welfare_overdue'
  | 'emergency_unowned'
  | 'reminder'
  | 'fence'
  | 'order_declined'
  | 'invitation_answered';
export interface Alarm {
  is: 'alarm';
  id: number;
  agency: number;
  kind: AlarmKind;
  /** `call:4`, `incident:5`, `assignment:6`, `unit:7`, `reminder:8` … */
  about: string;
  raised: number;
  /** 1: the dispatcher; 2: the supervisor too. */
  level?: number;
  details?: Record<string, unknown>;
  taken_by?: number | null;
  taken_by_name?: string | null;
  taken?: number | null;
}
export interface Invitation {
  is: 'invitation';
  id: number;
  incident: number;
  incident_number: string;
  title: string;
  place: string;
  priority: number;
  agency: number;
  from_agency: number;
  text: string;
  at: number;
  answer?: 'accepted' | 'declined' | 'offered' | 'withdrawn' | null;
  answer_text?: string | null;
  answered?: number | null;
}
export interface Lookout {
  is: 'lookout';
  id: number;
  agency: number;
  number: string;
  subject: 'person' | 'vehicle' | 'vessel' | 'other';
  title: string;
  issued: number;
  until: number;
  agencies: number[];
  text?: string;
  plate?: string;
  lon?: number | null;
  lat?: number | null;
}
export interface WelfareCheck {
  is: 'welfare';
  id: number;
  unit: number;
  agency: number;
  /** Seconds. */
  every: number;
  due: number;
  incident?: number | null;
}
export interface Reminder {
  is: 'reminder';
  id: number;
  agency: number;
  text: string;
  due: number;
  person?: number | null;
  incident?: number | null;
}
export interface Need {
  count?: number;
  kinds?: string[];
  capabilities?: string[];
}
export interface IncidentType {
  is: 'incident_type';
  id: number;
  agency: number;
  code: string;
  name: string;
  priority: number;
  name_es?: string;
  checklist?: string[];
  plan?: Need[];
  scene_minutes?: number | null;
  contact_minutes?: number | null;
}
export interface Station {
  is: 'station';
  id: number;
  agency: number;
  name: string;
  lon: number;
  lat: number;
}

/** A warning that is in force, or has just ended; docs/warnings.md. */
export interface InForce {
  is: 'warning';
  id: number;
  warning: number;
  agency: number;
  identifier: string;
  kind: 'Alert' | 'Update';
  status: 'Actual' | 'Exercise' | 'Test';
  state: 'in_force' | 'cancelled' | 'expired';
  event: string;
  urgency: string;
  severity: string;
  certainty: string;
  sender: string;
  note: string;
  texts: {
    language: string;
    event: string;
    headline: string;
    description: string;
    instruction: string;
  }[];
  area: string;
  polygons: [number, number][][];
  circles: { lon: number; lat: number; radius: number }[];
  sent: number;
  onset: number | null;
  ends: number;
  ended: number | null;
  why: string;
  loud: boolean;
}
/** A message of a warning as those who warn see it, from draft to sent. */
export interface DeskMessage {
  is: 'warning_message';
  id: number;
  warning: number;
  agency: number;
  kind: 'Alert' | 'Update' | 'Cancel';
  status: 'Actual' | 'Exercise' | 'Test';
  stage: 'draft' | 'checked' | 'approved' | 'sent' | 'dropped';
  called: string;
  digest: string;
  authors: number[];
  approved_by: number | null;
  alone: string | null;
  held: string | null;
  send_at: number | null;
  sent: number | null;
  changed: number;
  shown: number;
  confirmed_sessions: number;
  confirmed_units: number;
  confirmed_people: number;
}

export type BoardItem =
  | Call
  | Incident
  | Assignment
  | UnitItem
  | Emergency
  | EmergencyPlace
  | Telephone
  | Alarm
  | Invitation
  | Lookout
  | WelfareCheck
  | Reminder
  | IncidentType
  | Station
  | InForce
  | DeskMessage;
export type Kind = BoardItem['is'];
export type Of<K extends Kind> = Extract<BoardItem, { is: K }>;
