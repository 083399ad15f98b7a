/** What the interface answers, as `/api/openapi.json` has it. Times are milliseconds UTC. */

export type Shown = 'nothing' | 'presence' | 'blurred' | 'exact';
/** From least to most. */
export const SHOWN: readonly Shown[] = ['nothing', 'presence', 'blurred', 'exact'];

export interface Agency {
  id: number;
  code: string;
  name: string;
  colour: string;
}
export interface Rights {
  address: string;
  name: string;
  agency: number;
  agencies: Agency[];
  rights: Record<string, Record<string, string>>;
}
export interface Person {
  id: number;
  name: string;
  full_name: string;
  roles: string[];
  disabled: boolean;
  created: number;
  second_factors: number;
  online: boolean;
}
export interface Device {
  id: number;
  label: string;
  unit: number | null;
  callsign: string | null;
  gateway: boolean;
  state: 'enrolled' | 'revoked' | 'to_be_wiped' | 'wiped';
  enrolled: number;
  online: boolean;
}
export interface Code {
  id: number;
  label: string;
  unit: number | null;
  callsign: string | null;
  gateway: boolean;
  author: string;
  until: number;
}
export interface MadeCode {
  id: number;
  code: string;
  uri: string;
  qr: string;
  until: number;
}
export interface Unit {
  id: number;
  callsign: string;
  kind: string;
  key: string | null;
  retired: boolean;
  hidden: boolean;
  online: boolean;
}
/** The usual kinds of units; an agency may have others. */
export const UNIT_KINDS = ['car', 'truck', 'motorcycle', 'boat', 'foot', 'aircraft', 'post'];
export interface Member {
  address: string;
  name: string;
}
export interface Group {
  id: number;
  name: string;
  joint: boolean;
  members: Member[];
}
export interface Agreement {
  id: number;
  owner: number;
  viewer: number;
  units: Shown;
  messages: boolean;
  reason: string;
  author: string | null;
  starts: number;
  ends: number | null;
}
export interface UnitException {
  id: number;
  unit: number;
  callsign: string;
  owner: number;
  viewer: number | null;
  units: Shown;
  reason: string | null;
  author: string | null;
  starts: number;
  ends: number | null;
}
export interface Incident {
  id: number;
  title: string;
  agency: number;
  opened: number;
  agencies: number[];
  units: string[];
}
export interface Glass {
  id: number;
  person: string;
  name: string;
  agency: number;
  owner: number;
  reason: string;
  starts: number;
  ends: number;
  reviewed: number | null;
  reviewer: string | null;
  review: string | null;
}
export interface Sharing {
  agreements: Agreement[];
  exceptions: UnitException[];
  incidents: Incident[];
  glasses: Glass[];
}
export interface SharingUnit {
  id: number;
  agency: number;
  callsign: string;
}
export interface Why {
  viewer: string;
  unit: string;
  shown: Shown;
  reasons: string[];
}
export interface Session {
  id: string;
  address: string;
  name: string;
  since: number;
  ends: number;
  source: string | null;
  connected: boolean;
  own: boolean;
}
export interface AuditEntry {
  seq: number;
  at: number;
  actor: string;
  actor_name: string | null;
  agency: number | null;
  source: string | null;
  action: string;
  object: string | null;
  details: Record<string, unknown>;
}
export interface Audit {
  entries: AuditEntry[];
  before: number | null;
}
export type Kept =
  'track' | 'message' | 'attachment' | 'recording' | 'call' | 'incident' | 'lookout' | 'audit';
export interface Period {
  kind: Kept;
  /** None: for ever. */
  days: number | null;
  own: boolean;
  default: number | null;
}
export interface Hold {
  id: number;
  subject: string;
  name: string;
  reason: string;
  author: string;
  starts: number;
  ends: number | null;
}

export interface RadioSite {
  network: number;
  name: string;
  link: string;
  up: boolean;
  since: number;
  quality?: number | null;
  errors?: number | null;
  rssi?: number | null;
}
export interface RadioCall {
  radio: number | null;
  since: number;
  talkgroup?: number;
  to?: number | null;
  site?: string;
  call?: 'normal' | 'peril' | 'emergency';
  /** Missing: it is passed on. */
  passed?: boolean;
}
export interface RadioGateway {
  gateway: number;
  label: string;
  online: boolean;
  /** 0: not since this server began. */
  since: number;
  sites?: RadioSite[];
  calls?: RadioCall[];
  refused?: Record<string, number>;
  voiceless?: boolean;
  missed?: { since: number; until: number; calls: number } | null;
}
export interface Heard {
  number: number;
  first: number;
  last: number;
  times: number;
  what: string;
  site?: string;
  lon?: number | null;
  lat?: number | null;
  emergency?: number | null;
  twice?: number | null;
  twice_site?: string;
}
export interface RadioNetwork {
  id: number;
  name: string;
  agency: number;
  agencies: number[];
  run: boolean;
  gateways: RadioGateway[];
  talkgroups: { id: number; number: number; group: number; name: string; mine: boolean }[];
  radios: {
    id: number;
    number: number;
    unit: number;
    callsign: string;
    agency: number;
    mine: boolean;
  }[];
  heard: Heard[];
}
interface Choice {
  id: number;
  name: string;
}
export interface RadioNetworks {
  networks: RadioNetwork[];
  gateways: Choice[];
  groups: Choice[];
  units: Choice[];
}
