/** Frames of speech, as `psn/wire/voice.py` defines them: twelve bytes, and an Opus packet. Pure. */

import type { Talker } from './frames';

/** What a voice group belongs to: a group, an incident, a call. */
export type VoiceAddress = `${'group' | 'incident' | 'call'}:${number}`;

export interface Speech {
  group: VoiceAddress;
  /** `device:9`, a gateway, for a radio that carries no unit; `agency:6`: an announcement. */
  talker: Talker;
  /** In this talk, from 0, modulo 65,536. */
  number: number;
  milliseconds: 20 | 40 | 60;
  /** The last frame of this talk. */
  last: boolean;
  opus: Uint8Array<ArrayBuffer>;
}

const MARK = 0xc1;
const HEADER = 12;
const MOST_OPUS = 1_276;
const NUMBERS = 65_536;
const KINDS = ['group', 'incident', 'call'] as const;
const TALKERS = ['person', 'device', 'unit', 'agency'] as const;
const LENGTHS = [20, 40, 60] as const;
const LAST = 4;
const ID = 0x3fff_ffff;

/** Whether a binary message is a frame of speech: no MessagePack value begins with its first byte. */
export function isSpeech(data: ArrayBuffer): boolean {
  return data.byteLength > 0 && new Uint8Array(data, 0, 1)[0] === MARK;
}

/** Read one; `null` when it is none, or of a kind that is not known here. */
export function decodeSpeech(data: ArrayBuffer): Speech | null {
  const size = data.byteLength - HEADER;
  if (!isSpeech(data) || size < 1 || size > MOST_OPUS) return null;
  const view = new DataView(data);
  const flags = view.getUint8(1);
  const milliseconds = LENGTHS[(flags & 3) - 1];
  const group = view.getUint32(4);
  const talker = view.getUint32(8);
  const kind = KINDS[group >>> 30];
  const who = TALKERS[talker >>> 30];
  if (!milliseconds || !kind || !who) return null;
  return {
    group: `${kind}:${group & ID}`,
    talker: `${who}:${talker & ID}`,
    number: view.getUint16(2),
    milliseconds,
    last: (flags & LAST) !== 0,
    opus: new Uint8Array(data, HEADER),
  };
}

export function encodeSpeech(speech: Speech): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(HEADER + speech.opus.length);
  const view = new DataView(made.buffer);
  const [kind, id] = speech.group.split(':');
  const [who, number] = speech.talker.split(':');
  view.setUint8(0, MARK);
  view.setUint8(1, LENGTHS.indexOf(speech.milliseconds) + 1 + (speech.last ? LAST : 0));
  view.setUint16(2, speech.number % NUMBERS);
  view.setUint32(4, KINDS.indexOf(kind as (typeof KINDS)[number]) * 2 ** 30 + Number(id));
  view.setUint32(8, TALKERS.indexOf(who as (typeof TALKERS)[number]) * 2 ** 30 + Number(number));
  made.set(speech.opus, HEADER);
  return made;
}

/** How many frames are missing between two numbers of one talk; 0 when none, or out of order. */
export function missing(before: number, now: number): number {
  const step = (now - before + NUMBERS) % NUMBERS;
  return step > 0 && step < NUMBERS / 2 ? step - 1 : 0;
}
