/**
 * The frames of wire v1, as `psn/wire` defines them. Longitude and latitude are degrees × 10⁷,
 * lengths centimetres, speed centimetres per second, heading hundredths of a degree clockwise from
 * true north, time milliseconds UTC.
 */

import type { BoardItem } from './items';
import type { VoiceAddress } from './speech';

export const VERSION = 1;
export const SUBPROTOCOL = 'psn.v1.msgpack';
export const MAX_TEXT = 8000;
export const MAX_RECIPIENTS = 50;
/** So many people and units one call is with at most. */
export const MAX_CALLED = 20;
export const MAX_READ = 500;

/** Who a message is to or from: `person:3`, `unit:7`, `group:2`, `agency:1`. */
export type Address = `${'person' | 'unit' | 'group' | 'agency'}:${number}`;
/** Who talks in a voice group: a gateway for a radio that carries no unit. */
export type Talker = Address | `device:${number}`;
export type Priority = 'routine' | 'priority' | 'immediate' | 'emergency';
export const PRIORITIES: readonly Priority[] = ['routine', 'priority', 'immediate', 'emergency'];
export type ReceiptState = 'delivered' | 'read' | 'expired';

/** Unit, time, longitude, latitude, speed, heading, accuracy. */
export type Seat = [
  unit: number,
  time: number,
  lon: number,
  lat: number,
  speed: number | null,
  heading: number | null,
  accuracy: number | null,
];
/** Unit, fence, entered (true) or left, time. */
export type Crossing = [unit: number, fence: number, inside: boolean, time: number];

export type Auth =
  | { kind: 'password'; name: string; password: string; code?: string; known?: string }
  | { kind: 'session'; token: string }
  | { kind: 'device'; device: number; signature: Uint8Array };

/** How an enrolled device signs in: the answer to the nonce of this connection. */
export interface Signer {
  kind: 'signer';
  sign(nonce: Uint8Array): Promise<Auth>;
}

/** A position as a unit reports it; unit 0 is the session's own. */
export type Fix = [
  unit: number,
  time: number,
  lon: number,
  lat: number,
  speed: number | null,
  heading: number | null,
  accuracy: number | null,
  altitude: number | null,
  battery: number | null,
];
/** West, south, east, north. */
export type Area = [number, number, number, number];

/** Whoever is at the console proves to be its person. */
export type Proof = { kind: 'password'; password: string } | { kind: 'token'; token: string };

/** What can be asked for beside the password. */
export type FactorKind = 'totp' | 'passkey' | 'recovery_code';

/** In what kind of call somebody talks; missing when normal. */
export type CallKind = 'normal' | 'peril' | 'emergency';

/** Who talks in a voice group; nobody without `talker`. */
export interface Floor {
  t: 'floor';
  group: VoiceAddress;
  talker?: Talker;
  talker_name?: string;
  agency?: number;
  call?: CallKind;
  over?: boolean;
}
/** How it stands with one's own wish to talk. */
export interface FloorYours {
  t: 'floor_yours';
  group: VoiceAddress;
  state: 'granted' | 'queued' | 'denied' | 'revoked' | 'warned';
  until?: number;
  position?: number;
  code?: string;
  text?: string;
  todo?: string;
}

/**
 * How what is said in a group reaches radios: `busy`, as soon as a channel is free; `voiceless`,
 * not, for want of a vocoder; `lost`, not, for want of a link.
 */
export type Reached = 'heard' | 'partly' | 'busy' | 'voiceless' | 'lost';

export interface OutgoingMessage {
  t: 'message';
  id: string;
  to: Address[];
  text: string;
  priority?: Priority;
  expires?: number;
  about?: string;
}

export type ClientFrame =
  | { t: 'hello'; v: number; client: string; caps?: string[] }
  | { t: 'sign_in'; n: number; auth: Auth; seen?: Record<string, number> }
  | { t: 'watch'; n: number; area?: Area }
  | { t: 'position'; p: Fix }
  | { t: 'positions'; n: number; p: Fix[] }
  | OutgoingMessage
  | { t: 'seen'; box: Address; seq: number }
  | { t: 'read'; n: number; box: Address; seqs: number[] }
  | { t: 'do'; id: string; what: string; with: Record<string, unknown> }
  | { t: 'follow'; n: number; topic: string }
  | { t: 'unfollow'; n: number; topic: string }
  | { t: 'voice_join'; n: number; group: VoiceAddress }
  | { t: 'voice_leave'; n: number; group: VoiceAddress }
  | { t: 'voice_call'; n: number; to: Address[]; call?: CallKind; by_radio?: boolean }
  | { t: 'voice_close'; n: number; group: VoiceAddress }
  | { t: 'voice_patch'; n: number; groups: [VoiceAddress, VoiceAddress] }
  | { t: 'voice_unpatch'; n: number; group: VoiceAddress }
  | { t: 'floor_ask'; group: VoiceAddress; call?: CallKind }
  | { t: 'floor_release'; group: VoiceAddress }
  | { t: 'active' }
  | { t: 'unlock'; n: number; proof: Proof }
  | { t: 'ping'; n: number }
  | { t: 'sign_out'; n: number };

export interface RosterAgency {
  id: number;
  code: string;
  name: string;
  colour: string;
}
export interface RosterUnit {
  id: number;
  agency: number;
  callsign: string;
  kind: string;
  online?: boolean;
  /** How precisely it is shown; missing when exactly. */
  shown?: Shown;
}
/** `blurred`: in its square of a kilometre, once a minute; `presence`: without its place. */
export type Shown = 'exact' | 'blurred' | 'presence';
export interface RosterPerson {
  id: number;
  agency: number;
  name: string;
  roles: string[];
  online?: boolean;
}
export interface RosterGroup {
  id: number;
  name: string;
  agency?: number | null;
}

export interface MessageBody {
  kind: 'message';
  id: string;
  sender: Address;
  sender_name: string;
  to: Address[];
  text: string;
  priority: Priority;
  time: number;
  expires?: number | null;
  about?: string | null;
}
export interface ReceiptBody {
  kind: 'receipt';
  of: string[];
  by: Address;
  by_name: string;
  state: ReceiptState;
  time: number;
}
export interface Mail {
  t: 'mail';
  box: Address;
  seq: number;
  body: MessageBody | ReceiptBody;
}
export interface SignedIn {
  t: 'signed_in';
  n: number;
  token: string;
  me: Address;
  name: string;
  agency: number;
  roles: string[];
  boxes: Record<Address, number>;
  time: number;
  ends: number;
  unit?: number | null;
  /** Nothing comes before `unlock`. */
  locked?: boolean;
  /** Nothing is possible but to choose a password or enrol a second factor. */
  limited?: boolean;
  /** To be kept in this browser, and sent with the next password. */
  known?: string | null;
}
export interface WireError {
  t: 'error';
  code: string;
  text: string;
  todo: string;
  n?: number | null;
  id?: string | null;
  retry?: number | null;
  kinds?: FactorKind[] | null;
  /** With `unit_in_emergency`: which. */
  units?: number[] | null;
}
export interface Roster {
  t: 'roster';
  agencies: RosterAgency[];
  groups: RosterGroup[];
  people: RosterPerson[];
  units: RosterUnit[];
}

export type ServerFrame =
  | { t: 'welcome'; v: number; server: string; time: number; nonce: Uint8Array; caps?: string[] }
  | SignedIn
  | { t: 'ok'; n: number }
  | { t: 'ack'; id: string; time: number }
  | { t: 'done'; id: string; time: number; result?: unknown }
  | WireError
  | Roster
  | { t: 'roster_units'; units?: RosterUnit[]; removed?: number[] }
  | { t: 'roster_people'; agencies: RosterAgency[]; groups: RosterGroup[]; people: RosterPerson[] }
  | { t: 'picture'; p: Seat[]; snapshot?: boolean }
  | { t: 'news'; topic: string; set?: BoardItem[]; gone?: string[]; whole?: boolean }
  | { t: 'gone'; units: number[] }
  | { t: 'presence'; who: Record<Address, boolean> }
  | { t: 'fence'; x: Crossing[] }
  | Mail
  | { t: 'caught_up' }
  | { t: 'history_gone'; box: Address; floor: number }
  | Floor
  | FloorYours
  | {
      t: 'called';
      group: VoiceAddress;
      by: Address;
      by_name: string;
      agency: number;
      to: Address[];
      call?: CallKind;
      n?: number;
    }
  | {
      t: 'patched';
      group: VoiceAddress;
      other?: VoiceAddress;
      other_name?: string;
      by?: Address;
      by_name?: string;
    }
  | { t: 'reach'; group: VoiceAddress; reach: Reached; text?: string; todo?: string }
  | { t: 'voice_gone'; group: VoiceAddress; code: string; text: string; todo: string }
  | { t: 'locking'; seconds: number }
  | { t: 'locked' }
  | { t: 'unlocked' }
  | { t: 'emergency_waits' }
  | { t: 'ending'; seconds: number }
  | { t: 'pong'; n: number; time: number }
  | { t: 'closing'; code: string; text: string; todo: string };

/** Close codes of this protocol (RFC 6455 §7.4.2: 4000–4999 are private). */
export const CLOSE = {
  malformed: 4400,
  notSignedIn: 4401,
  sessionEnded: 4403,
  version: 4406,
  tooSlow: 4408,
  wipe: 4410,
  flood: 4429,
  goingDown: 1012,
} as const;
