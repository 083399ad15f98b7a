import type { Speech } from '../wire/speech';

/** Round trips beyond which packets are longer, ms. */
const SLOW = 250;
const VERY_SLOW = 500;

/**
 * How long the packets of a talk are, by the last round trip (ms; `null`: none was measured). A
 * line that is slow is full, or far away: fewer packets carry fewer headers, which are more than
 * half of what a talk takes (20 ms: some 59 kbit/s over TLS, 40 ms: 41, 60 ms: 35), and what is
 * heard a little later there is heard whole.
 */
export function packetMs(roundTrip: number | null): Speech['milliseconds'] {
  if (roundTrip === null || roundTrip <= SLOW) return 20;
  return roundTrip <= VERY_SLOW ? 40 : 60;
}
