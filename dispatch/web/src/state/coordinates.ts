/** Latitude and longitude as people paste them. Pure. */

export interface Point {
  /** Degrees, WGS 84. */
  lat: number;
  lon: number;
}

const ANGLE =
  /([NSEWO])?\s*([+-−]?\d{1,3}(?:\.\d+)?)\s*(?:[°ºd:]\s*(?:(\d{1,2}(?:\.\d+)?)\s*['′’m:]?\s*(?:(\d{1,2}(?:\.\d+)?)\s*(?:["″”s]|'')?)?)?)?\s*([NSEWO])?/iy;

/**
 * `17.4995, -88.1976`, `17.4995 N 88.1976 W`, `17° 29.97′ N 88° 11.85′ W`, and with seconds; none
 * when the text is something else. Without a sign or letter 88 is west, as all of Belize is.
 */
export function pointIn(text: string): Point | null {
  const typed = text.trim().replaceAll('−', '-');
  if (typed.length > 80) return null;
  const first = angle(typed, 0);
  if (!first) return null;
  const blank = /[\s,;/]+/y;
  blank.lastIndex = first.end;
  const between = blank.exec(typed)?.[0] ?? '';
  const second = angle(typed, first.end + between.length);
  if (!second || second.end !== typed.length) return null;
  if (!between && !first.letter) return null;
  const turned = 'EWO'.includes(first.letter || 'x') || 'NS'.includes(second.letter || 'x');
  const [lat, lon] = turned ? [second, first] : [first, second];
  if ((lat.letter && !'NS'.includes(lat.letter)) || (lon.letter && 'NS'.includes(lon.letter))) {
    return null;
  }
  const point = { lat: signed(lat, 'S'), lon: signed(lon, 'WO') };
  if (!lon.letter && point.lon >= 86 && point.lon <= 90) point.lon = -point.lon;
  return Math.abs(point.lat) <= 90 && Math.abs(point.lon) <= 180 ? point : null;
}

interface Angle {
  degrees: number;
  letter: string;
  end: number;
}

function angle(text: string, from: number): Angle | null {
  ANGLE.lastIndex = from;
  const found = ANGLE.exec(text);
  if (!found) return null;
  const [whole, before, degrees, minutes, seconds, after] = found;
  if (before && after && from === 0) {
    // `N 17.5 W 88.2`: the letter behind belongs to the next.
    return {
      ...measure(degrees, minutes, seconds),
      letter: before.toUpperCase(),
      end: from + whole.length - 1,
    };
  }
  const measured = measure(degrees, minutes, seconds);
  const letter = (before ?? after ?? '').toUpperCase();
  return { ...measured, letter, end: from + whole.trimEnd().length };
}

function measure(degrees = '', minutes = '0', seconds = '0'): { degrees: number } {
  const size = Math.abs(Number(degrees)) + Number(minutes) / 60 + Number(seconds) / 3600;
  return { degrees: degrees.startsWith('-') ? -size : size };
}

const signed = ({ degrees, letter }: Angle, negative: string): number =>
  letter && negative.includes(letter) ? -Math.abs(degrees) : degrees;

/** About Belize and its waters: what is outside is asked about. */
export const nearBelize = ({ lat, lon }: Point): boolean =>
  lat > 15.8 && lat < 18.6 && lon > -89.4 && lon < -86.4;
