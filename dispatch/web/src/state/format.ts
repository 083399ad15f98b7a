import { spoken, strings, type Language } from '../strings';

const BELIZE = 'America/Belize';
const PLACES: Record<Language, string> = { en: 'en-GB', es: 'es-BZ' };
const made = new Map<string, Intl.DateTimeFormat>();

/** A formatter for the language that is spoken now; making one is slow, so each is kept. */
function format(name: string, wanted: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${spoken} ${name}`;
  let found = made.get(key);
  if (!found) {
    const options = { timeZone: BELIZE, hourCycle: 'h23', ...wanted } as const;
    found = new Intl.DateTimeFormat(PLACES[spoken], options);
    made.set(key, found);
  }
  return found;
}

const TWO = '2-digit';

/** `14:03:22`, Belize time (UTC−6 all year). */
export const timeOfDay = (time: number): string =>
  format('clock', { hour: TWO, minute: TWO, second: TWO }).format(time);
/** `14:03`. */
export const hourMinute = (time: number): string =>
  format('short', { hour: TWO, minute: TWO }).format(time);
/** `3 Nov`. */
export const dayMonth = (time: number): string =>
  format('day', { day: 'numeric', month: 'short' }).format(time);
/** `Mon`. */
export const weekday = (time: number): string =>
  format('weekday', { weekday: 'short' }).format(time);
/** `14:03` today, `3 Nov, 14:03` on another day. */
export function shortTime(time: number, now: number): string {
  return dayMonth(time) === dayMonth(now)
    ? hourMinute(time)
    : `${dayMonth(time)}, ${hourMinute(time)}`;
}

/** The start of today in Belize, milliseconds UTC. */
export function startOfToday(now: number): number {
  const hours = 6 * 3_600_000;
  return Math.floor((now - hours) / 86_400_000) * 86_400_000 + hours;
}

/** `8 s`, `4 min`, `2 h`, `3 d`: how long ago. */
export function ageText(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `59:07`: minutes and seconds that are left. */
export function countdown(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** `3 d 4 h`, `4 h 05 min`, `12:05`: what is left of a while, as exactly as it matters. */
export function left(milliseconds: number): string {
  const minutes = Math.floor(Math.max(0, milliseconds) / 60_000);
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours >= 1) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return countdown(milliseconds);
}

/** Degrees and decimal minutes as on a chart: `17° 29.970′ N`. */
export function degreesMinutes(degrees: number, positive: string, negative: string): string {
  let whole = Math.floor(Math.abs(degrees));
  let minutes = (Math.abs(degrees) - whole) * 60;
  if (minutes >= 59.9995) {
    whole += 1;
    minutes = 0;
  }
  const side = degrees < 0 ? negative : positive;
  return `${whole}° ${minutes.toFixed(3).padStart(6, '0')}′ ${side}`;
}

/** `17.49952, −88.19756`, to five places (about a metre). */
export function decimalDegrees(lat: number, lon: number): string {
  return `${lat.toFixed(5)}, ${lon.toFixed(5)}`.replaceAll('-', '−');
}

/** Kilometres per hour on land, knots afloat and aloft. */
export function speedText(metresPerSecond: number | null, nautical: boolean): string {
  if (metresPerSecond === null) return strings.unknown;
  return nautical
    ? `${(metresPerSecond * 1.943844).toFixed(1)} kn`
    : `${Math.round(metresPerSecond * 3.6)} km/h`;
}

const POINTS: Record<Language, readonly string[]> = {
  en: ['N', 'NE', 'E', 'SE', 'S', 'SW', 'W', 'NW'],
  es: ['N', 'NE', 'E', 'SE', 'S', 'SO', 'O', 'NO'],
};

/** `NE`: the point of the compass, of eight, in which a bearing (0 to 360 degrees) lies. */
export const compassPoint = (degrees: number): string =>
  POINTS[spoken][Math.round(degrees / 45) % 8] ?? '';

/** `045° NE`. */
export function headingText(degrees: number | null): string {
  if (degrees === null) return strings.unknown;
  const whole = Math.round(degrees) % 360;
  return `${String(whole).padStart(3, '0')}° ${compassPoint(whole)}`;
}

/** `840 m`, `2.4 km`, `31 km`. */
export function distanceText(metres: number): string {
  if (metres < 995) return `${Math.round(metres / 10) * 10} m`;
  return metres < 9_950 ? `${(metres / 1_000).toFixed(1)} km` : `${Math.round(metres / 1_000)} km`;
}

/** `patrol_car` as `Patrol car`; the usual kinds in the language that is spoken. */
export function kindText(kind: string): string {
  const named = Object.entries(strings.kinds).find(([name]) => name === kind);
  if (named) return named[1];
  const words = kind.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What a kind of incident is called in the language that is spoken. */
export function kindName({ name, name_es }: { name: string; name_es?: string | null }): string {
  return (spoken === 'es' && name_es) || name;
}

/** So many characters the server takes: of a title, and of a long text. */
export const MOST = { title: 200, text: 8000 };

/** By how many characters a text is too long, as the server counts them: a face is one. */
export const surplus = (text: string, most: number): number => Math.max(0, [...text].length - most);
