import { startOfToday } from '../state/format';

/** Milliseconds UTC; what is at `end` is not in it. */
export interface Period {
  begin: number;
  end: number;
}

export const PRESETS = ['today', 'week', 'month', 'quarter', 'year', 'days'] as const;
export type Preset = (typeof PRESETS)[number];

const DAY = 86_400_000;
const BACK: Record<Exclude<Preset, 'today' | 'days'>, number> = {
  week: 7,
  month: 30,
  quarter: 91,
  year: 365,
};

/** The last so many days until now, in Belize; `today` since midnight. */
export function presetPeriod(preset: Exclude<Preset, 'days'>, now: number): Period {
  const today = startOfToday(now);
  return { begin: preset === 'today' ? today : today - BACK[preset] * DAY, end: now };
}

/** From the start of one day to the end of another (`2026-11-03`), in Belize; none: not a period. */
export function dayPeriod(first: string, last: string): Period | null {
  const begin = startOfDay(first);
  const end = startOfDay(last);
  return begin === null || end === null || end < begin ? null : { begin, end: end + DAY };
}

/** `2026-11-03` in Belize (UTC−6 all year). */
export function dayField(time: number): string {
  return new Date(time - 6 * 3_600_000).toISOString().slice(0, 10);
}

function startOfDay(field: string): number | null {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(field) ? Date.parse(`${field}T00:00Z`) : NaN;
  return Number.isNaN(time) ? null : time + 6 * 3_600_000;
}
