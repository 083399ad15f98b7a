/** Belize is six hours behind UTC all year. */
const BEHIND = 6 * 3_600_000;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const MESES = 'ene feb mar abr may jun jul ago sep oct nov dic'.split(' ');

/** A moment as a field of date and time shows it: by the country's clock, wherever the browser is. */
export const momentField = (time: number | null): string =>
  time === null ? '' : new Date(time - BEHIND).toISOString().slice(0, 16);

/** What such a field says; null when it is empty or no moment. */
export function fieldMoment(text: string): number | null {
  const found = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text) ? Date.parse(`${text}Z`) : NaN;
  return Number.isNaN(found) ? null : found + BEHIND;
}

/** Short enough for a telephone, as the server writes it: `6:00 pm 1 Sep`. */
export function untilText(time: number, language: string): string {
  const local = new Date(time - BEHIND);
  const hour = local.getUTCHours();
  const minute = String(local.getUTCMinutes()).padStart(2, '0');
  const month = (language === 'es-BZ' ? MESES : MONTHS)[local.getUTCMonth()] ?? '';
  return `${hour % 12 || 12}:${minute} ${hour < 12 ? 'am' : 'pm'} ${local.getUTCDate()} ${month}`;
}

/** What is left: `2 d 3 h`, `5:04:09`, `04:09`. */
export function leftText(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}
