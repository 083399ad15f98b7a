const LONGEST = 48;

/** What an entry of the audit says beside who, what and when: `label: old → new`, one a line. */
export function detailLines(details: Record<string, unknown>): string[] {
  const was = fields(details['old']);
  const is = fields(details['new']);
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  const changed = names.map((name) =>
    name in was && name in is
      ? `${name}: ${short(was[name])} → ${short(is[name])}`
      : `${name}: ${short(name in is ? is[name] : was[name])}`,
  );
  const others = Object.entries(details).filter(([name]) => name !== 'old' && name !== 'new');
  return [...changed, ...others.map(([name, value]) => `${name}: ${short(value)}`)];
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function short(value: unknown): string {
  if (value === null || value === undefined) return '–';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
