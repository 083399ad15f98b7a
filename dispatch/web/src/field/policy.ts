/** What decides how often a tablet reports where it is. */
export interface Circumstances {
  /** Metres per second; null when it is not known. */
  speed: number | null;
  /** Percent; null when the browser does not tell. */
  battery: number | null;
  charging: boolean;
  /** The red button was pressed, and it is not over. */
  emergency: boolean;
  /** Somebody looks at the map, or at how far it is to go. */
  watched: boolean;
}

const LOW_BATTERY = 20;
const DRIVING = 8;
const WALKING = 1;

/** Milliseconds between two positions. */
export function reportEvery({
  speed,
  battery,
  charging,
  emergency,
  watched,
}: Circumstances): number {
  if (emergency) return 1_000;
  if (battery !== null && battery < LOW_BATTERY && !charging) return 60_000;
  if (speed !== null && speed >= DRIVING) return 2_000;
  if (watched || (speed !== null && speed >= WALKING)) return 5_000;
  return 30_000;
}
