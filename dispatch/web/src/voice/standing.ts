import type { Floor } from '../wire/frames';
import type { Talk } from './radio.svelte';

export interface StandingWords {
  quiet: string;
  asked: string;
  talking: string;
  ending: string;
  queued(position: number): string;
}

/** How it stands in a group, for who looks at it: one's own wish to talk there, or who talks. */
export function standing(
  talk: Talk | null,
  floor: Floor | undefined,
  words: StandingWords,
): string {
  if (!talk) return floor?.talker ? (floor.talker_name ?? floor.talker) : words.quiet;
  if (talk.warned) return words.ending;
  if (talk.wish === 'granted') return words.talking;
  return talk.wish === 'queued' ? words.queued(talk.position) : words.asked;
}
