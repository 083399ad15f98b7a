/** Degrees, WGS 84. */
export interface Point {
  lon: number;
  lat: number;
}
export interface Way {
  metres: number;
  /** Bearing at the start, degrees clockwise from true north. */
  degrees: number;
}

const AXIS = 6_378_137;
const FLATTENING = 1 / 298.257_223_563;
const MINOR = AXIS * (1 - FLATTENING);
const RADIANS = Math.PI / 180;
const STEPS = 50;

/**
 * Distance and bearing along the geodesic, to a millimetre (Vincenty's inverse formula, Survey
 * Review XXIII no. 176, 1975). Near the far side of the earth it does not converge; then what it
 * had is given, which is good enough for going there.
 */
export function way(from: Point, to: Point): Way {
  if (from.lon === to.lon && from.lat === to.lat) return { metres: 0, degrees: 0 };
  const difference = (to.lon - from.lon) * RADIANS;
  const [sin1, cos1] = reduced(from.lat);
  const [sin2, cos2] = reduced(to.lat);
  let lambda = difference;
  let [sinSigma, cosSigma, sigma, cosSqAlpha, cos2m] = [0, 1, 0, 1, 0];
  for (let step = 0; step < STEPS; step++) {
    const [sinL, cosL] = [Math.sin(lambda), Math.cos(lambda)];
    sinSigma = Math.hypot(cos2 * sinL, cos1 * sin2 - sin1 * cos2 * cosL);
    cosSigma = sin1 * sin2 + cos1 * cos2 * cosL;
    sigma = Math.atan2(sinSigma, cosSigma);
    const sinAlpha = sinSigma === 0 ? 0 : (cos1 * cos2 * sinL) / sinSigma;
    cosSqAlpha = 1 - sinAlpha ** 2;
    cos2m = cosSqAlpha === 0 ? 0 : cosSigma - (2 * sin1 * sin2) / cosSqAlpha;
    const c = (FLATTENING / 16) * cosSqAlpha * (4 + FLATTENING * (4 - 3 * cosSqAlpha));
    const before = lambda;
    const inner = cos2m + c * cosSigma * (2 * cos2m ** 2 - 1);
    lambda = difference + (1 - c) * FLATTENING * sinAlpha * (sigma + c * sinSigma * inner);
    if (Math.abs(lambda - before) < 1e-12) break;
  }
  const bearing = Math.atan2(cos2 * Math.sin(lambda), cos1 * sin2 - sin1 * cos2 * Math.cos(lambda));
  return {
    metres: along(sigma, sinSigma, cosSigma, cosSqAlpha, cos2m),
    degrees: (bearing / RADIANS + 360) % 360,
  };
}

/** Sine and cosine of the reduced latitude. */
function reduced(lat: number): [number, number] {
  const u = Math.atan((1 - FLATTENING) * Math.tan(lat * RADIANS));
  return [Math.sin(u), Math.cos(u)];
}

function along(
  sigma: number,
  sinSigma: number,
  cosSigma: number,
  cosSqAlpha: number,
  cos2m: number,
): number {
  const square = (cosSqAlpha * (AXIS ** 2 - MINOR ** 2)) / MINOR ** 2;
  const a = 1 + (square / 16_384) * (4096 + square * (-768 + square * (320 - 175 * square)));
  const b = (square / 1024) * (256 + square * (-128 + square * (74 - 47 * square)));
  const third = cos2m * (4 * sinSigma ** 2 - 3) * (4 * cos2m ** 2 - 3);
  const inner = cos2m + (b / 4) * (cosSigma * (2 * cos2m ** 2 - 1) - (b / 6) * third);
  return MINOR * a * (sigma - b * sinSigma * inner);
}
