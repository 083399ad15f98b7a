import type { Floor } from '../wire/frames';
import type { VoiceAddress } from '../wire/speech';
import type { Talk } from './radio.svelte';

export interface StandingWords {
  quiet: string;
  asked: string;
  talking: string;
  /** Only who sends attention tones says that he does. */
  alerting?: string;
  ending: string;
  queued(position: number): string;
  /** The same, behind a radio that talks. */
  forRadio(position: number): string;
}

/** How it stands in a group, for who looks at it: one's own wish to talk there, or who talks. */
export function standing(
  talk: Talk | null,
  floor: Floor | undefined,
  words: StandingWords,
): string {
  if (!talk) return floor?.talker ? (floor.talker_name ?? floor.talker) : words.quiet;
  if (talk.warned) return words.ending;
  if (talk.wish === 'granted') return (talk.alert && words.alerting) || words.talking;
  if (talk.wish !== 'queued') return words.asked;
  return talk.forRadio ? words.forRadio(talk.position) : words.queued(talk.position);
}

const GRAVITY = { emergency: 0, peril: 1, normal: 2 } as const;

/** Of groups that matter, those in which somebody talks, the gravest call first. */
export function talkedIn(
  floors: Iterable<Floor>,
  matters: (group: VoiceAddress) => boolean,
): Floor[] {
  return [...floors]
    .filter(({ group, talker }) => talker && matters(group))
    .toSorted((a, b) => GRAVITY[a.call ?? 'normal'] - GRAVITY[b.call ?? 'normal']);
}
