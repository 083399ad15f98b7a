const HOURS_BEHIND = 6 * 3_600_000;

/** What a `datetime-local` field says, taken as Belize time (UTC−6): milliseconds UTC. */
export function belizeMoment(field: string): number | null {
  const time = Date.parse(`${field}Z`);
  return field === '' || Number.isNaN(time) ? null : time + HOURS_BEHIND;
}

/** The same back: what to put into such a field. */
export function belizeField(time: number): string {
  return new Date(time - HOURS_BEHIND).toISOString().slice(0, 16);
}
