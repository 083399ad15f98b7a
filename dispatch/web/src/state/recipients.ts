import type { Address } from '../wire/frames';
import { fold } from './filter';

export interface Recipient {
  address: Address;
  name: string;
  /** What stands beside the name: kind and agency. */
  hint: string;
  online: boolean | null;
}

/** Recipients whose name or hint has every word; those whose name starts so come first. */
export function match(all: readonly Recipient[], text: string, most: number): Recipient[] {
  const words = fold(text).split(/\s+/).filter(Boolean);
  if (words.length === 0) return all.slice(0, most);
  const found = all
    .map((one) => ({ one, name: fold(one.name), whole: fold(`${one.name} ${one.hint}`) }))
    .filter(({ whole }) => words.every((word) => whole.includes(word)))
    .map(({ one, name }) => ({ one, first: name.startsWith(words[0] ?? '') ? 0 : 1 }));
  return found
    .sort((a, b) => a.first - b.first)
    .slice(0, most)
    .map(({ one }) => one);
}
