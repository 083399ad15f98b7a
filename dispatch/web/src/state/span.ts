import { hourMinute } from './format';

/** A time as it is typed: how long from now, and when that is. */
export interface Span {
  seconds: number;
  /** Milliseconds UTC. */
  at: number;
  /** `15 min`. */
  words: string;
  /** `14:30`, Belize time. */
  clock: string;
}

const DAY = 86_400;
/** Belize is six hours behind UTC all year. */
const BEHIND = 6 * 3_600_000;

/** `10m`, `2h`, `1h30`, `90s`, `15` (minutes) or `14:30` (the next time it is so); else none. */
export function timeIn(typed: string, now: number): Span | null {
  const seconds = secondsIn(typed.toLowerCase(), now);
  if (seconds === null || seconds <= 0 || seconds > 30 * DAY) return null;
  const at = now + seconds * 1000;
  return { seconds, at, words: wordsOf(seconds), clock: hourMinute(at) };
}

function secondsIn(typed: string, now: number): number | null {
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(typed);
  if (clock) {
    const today = Math.floor(((now - BEHIND) % (DAY * 1000)) / 1000);
    const wanted = Number(clock[1]) * 3600 + Number(clock[2]) * 60;
    return wanted > today ? wanted - today : wanted - today + DAY;
  }
  const both = /^(\d{1,2})h(\d{1,2})(m|min)?$/.exec(typed);
  if (both) return Number(both[1]) * 3600 + Number(both[2]) * 60;
  const one = /^(\d{1,5})(s|m|min|h|d)?$/.exec(typed);
  if (!one) return null;
  const unit = { s: 1, m: 60, min: 60, h: 3600, d: DAY }[one[2] ?? 'm'] ?? 60;
  return Number(one[1]) * unit;
}

function wordsOf(seconds: number): string {
  if (seconds % 60 > 0 && seconds < 3600) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return `${minutes} min`;
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}
