/**
 * What the interface says of warnings, as `dispatch/warnings` defines it. Times are milliseconds
 * UTC, longitude and latitude degrees × 10⁷, radii metres.
 */

export type Status = 'Actual' | 'Exercise' | 'Test';
export const STATUSES: readonly Status[] = ['Actual', 'Exercise', 'Test'];
export type Stage = 'draft' | 'checked' | 'approved' | 'sent' | 'dropped';
export type MessageKind = 'Alert' | 'Update' | 'Cancel';
export const URGENCIES = ['Immediate', 'Expected', 'Future', 'Past', 'Unknown'] as const;
export const SEVERITIES = ['Extreme', 'Severe', 'Moderate', 'Minor', 'Unknown'] as const;
export const CERTAINTIES = ['Observed', 'Likely', 'Possible', 'Unlikely', 'Unknown'] as const;
export const LANGUAGES = ['en-BZ', 'es-BZ', 'bzj'] as const;
export type Tongue = (typeof LANGUAGES)[number];
export const CHANNELS = [
  'screens',
  'sms',
  'email',
  'feed',
  'page',
  'radio_text',
  'spoken',
  'push',
  'cell',
  'webhook',
] as const;
export type Channel = (typeof CHANNELS)[number];
export const FIELDS = ['event', 'headline', 'description', 'instruction', 'short'] as const;
export type Field = (typeof FIELDS)[number];

export type Text = { language: string } & Partial<Record<Field, string>>;
export type Point = [lon: number, lat: number];
export type Part =
  | { part: 'polygon'; points: Point[] }
  | { part: 'circle'; at: Point; radius: number }
  | { part: 'district'; code: string }
  | { part: 'track'; points: [lon: number, lat: number, radius: number][] };
export interface Area {
  name: string;
  parts: Part[];
}
/** All that a message says. What is missing has its plain value: empty, none, unknown. */
export interface Content {
  status: Status;
  event?: string;
  categories?: string[];
  urgency?: (typeof URGENCIES)[number];
  severity?: (typeof SEVERITIES)[number];
  certainty?: (typeof CERTAINTIES)[number];
  responses?: string[];
  texts?: Text[];
  area?: Area | null;
  /** None: all. */
  channels?: Channel[] | null;
  onset?: number | null;
  expires?: number | null;
  send_at?: number | null;
  note?: string;
  web?: string;
  plain_letters?: boolean;
}

export interface Blank {
  name: string;
  en: string;
  es: string;
  optional: boolean;
}
export interface Template {
  code: string;
  name: { en: string; es: string };
  categories: string[];
  urgency: (typeof URGENCIES)[number];
  severity: (typeof SEVERITIES)[number];
  certainty: (typeof CERTAINTIES)[number];
  responses: string[];
  hours: number;
  texts: Text[];
  blanks: Blank[];
  sources: { what: string; where: string }[];
  doubt: string;
}
export interface District {
  code: string;
  name: string;
  /** What people call it in each language but English: `Distrito de Cayo`. */
  called: Readonly<Record<string, string>>;
}
export interface Beginnings {
  templates: Template[];
  districts: District[];
  channels: Channel[];
  may: ('draft' | 'approve' | 'send' | 'cancel')[];
  two_people: Status[];
}
export interface MessageEnd {
  id: number;
  area: string;
  ends: number | null;
}
export interface Shown {
  channel: Channel;
  language: string;
  text: string;
  length: number;
  most: number | null;
  unit: 'parts' | 'characters' | 'septets' | 'units' | 'octets';
  fits: boolean;
  parts: string[];
}
export interface AreaShown {
  name: string;
  polygons: Point[][];
  circles: { lon: number; lat: number; radius: number }[];
  km2: number;
  told: string[];
  /** Who live there: an estimate. */
  people: number;
}
export interface Finding {
  path: string;
  code: string;
  text: string;
  todo: string;
  error: boolean;
}
/** One thing that was left out of a file or changed; `figures`: the numbers of it, by name. */
export interface FileNote {
  code: string;
  text: string;
  figures: Record<string, number>;
}
/** What a file gives to an area; `told` and `notes`: what was left out or changed. */
export interface FileArea {
  parts: Part[];
  told: string[];
  /** As the file calls it; empty: it does not. */
  name?: string;
  notes?: FileNote[];
}
/**
 * What it takes to tell everybody by SMS. `cost` at the dearest centre's price, null: one has none;
 * `minutes`: the least, null: no centre can be reached; `away`: those that cannot.
 */
export interface SmsCampaign {
  telephones: number;
  messages: number;
  languages: { language: string; telephones: number; parts: number }[];
  cost: number | null;
  minutes: number | null;
  rate: number;
  centres: number;
  away: string[];
}
export interface Preview {
  shown: Shown[];
  area: AreaShown | null;
  findings: Finding[];
  phrase: string;
  /** Null: it does not go by SMS, or was sent already. */
  sms?: SmsCampaign | null;
}
export interface Author {
  id: number;
  name: string;
}
export interface MessageShown {
  id: number;
  warning: number;
  kind: MessageKind;
  stage: Stage;
  digest: string;
  content: Content;
  authors: Author[];
  approved_by: Author | null;
  alone: string | null;
  sent: number | null;
  preview: Preview;
}
/** What the server answers when a message was begun, changed, checked or sent. */
export interface Begun {
  warning: number;
  message: number;
  digest: string;
}
export interface Standing {
  stage: Stage;
  digest: string;
  sent?: number | null;
}

export type Verdict = 'good' | 'none' | 'unknown' | 'weak' | 'misplaced' | 'out_of_date';
/** An alert of others. */
export interface Advice {
  id: number;
  feed: string;
  sender: string;
  identifier: string;
  kind: MessageKind;
  status: Status;
  state: 'in_force' | 'replaced' | 'cancelled' | 'expired';
  severity: (typeof SEVERITIES)[number];
  texts: {
    language: string;
    event: string;
    headline: string;
    description: string;
    instruction: string;
  }[];
  area: string;
  sent: number;
  heard: number;
  ends: number;
  by: MessageKind | null;
  verdict: Verdict;
  signer: string;
  near: boolean;
  /** Ours that was begun from it, and its newest message. */
  warning: number | null;
  message: number | null;
}
export interface AdviceWhole extends Advice {
  polygons: Point[][];
  circles: AreaShown['circles'];
}
export interface Feed {
  name: string;
  title: string;
  url: string;
  signed: boolean;
  tried: number | null;
  succeeded: number | null;
  failing_since: number | null;
  problem: string | null;
  in_force: number;
}
export interface Heard {
  alerts: Advice[];
  feeds: Feed[];
}
/** Whom a message has reached by a channel in a district (ISO 3166-2; null: not known where). */
export interface ReportLine {
  channel: string;
  district: string | null;
  total: number;
  waiting: number;
  handed: number;
  delivered: number;
  failed: number;
  uncertain: number;
  dropped: number;
  confirmed: number;
  missed: number;
  submissions: number;
  cost: number;
}
export interface Report {
  message: number;
  alone: string | null;
  lines: ReportLine[];
  confirmed_sessions: number;
  confirmed_units: number;
  confirmed_people: number;
  /** Who live in its area: an estimate. */
  people: number | null;
}
