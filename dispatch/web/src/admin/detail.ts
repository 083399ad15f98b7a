import { dayMonth, timeOfDay } from '../state/format';

const LONGEST = 48;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
const BYTES = /^\\x[0-9a-f]{24,}$/;
/** What the interface writes as milliseconds UTC. */
const MOMENTS = new Set(['ends', 'starts', 'until', 'since', 'at', 'from', 'to']);

/** What an entry of the audit says beside who, what and when: `label: old → new`, one a line. */
export function detailLines(details: Record<string, unknown>): string[] {
  const was = fields(details['old']);
  const is = fields(details['new']);
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  const changed = names.map((name) =>
    name in was && name in is
      ? `${name}: ${short(name, was[name])} → ${short(name, is[name])}`
      : `${name}: ${short(name, name in is ? is[name] : was[name])}`,
  );
  const others = Object.entries(details).filter(([name]) => name !== 'old' && name !== 'new');
  return [...changed, ...others.map(([name, value]) => `${name}: ${short(name, value)}`)];
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function short(name: string, value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'string' && MOMENT.test(value)) return moment(Date.parse(value), value);
  if (typeof value === 'number' && MOMENTS.has(name) && value > 1e12)
    return moment(value, `${value}`);
  if (typeof value === 'string' && BYTES.test(value)) return `${value.slice(0, 14)}…`;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function moment(time: number, otherwise: string): string {
  return Number.isNaN(time) ? otherwise : `${dayMonth(time)}, ${timeOfDay(time)}`;
}
