import type { Address } from '../wire/frames';
import type { Tablet } from './tablet.svelte';

/** Whom a crew writes to: its control room, its groups, the units on the same order, agencies. */
export function destinations({ who, picture, duty }: Tablet): Address[] {
  const units = duty.order?.others.map(({ unit }): Address => `unit:${unit}`) ?? [];
  const groups = picture.groups.map(({ id }): Address => `group:${id}`);
  const agencies = picture.agencies.map(({ id }): Address => `agency:${id}`);
  return [...new Set<Address>([`agency:${who.agency}`, ...units, ...groups, ...agencies])];
}
