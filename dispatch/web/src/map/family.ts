/** What a unit looks like on the map: its shape, whatever its agency calls the kind. */
export type Family = 'vehicle' | 'boat' | 'foot' | 'air' | 'post' | 'other';
export const FAMILIES: readonly Family[] = ['vehicle', 'boat', 'foot', 'air', 'post', 'other'];

const WORDS: readonly (readonly [Family, RegExp])[] = [
  [
    'boat',
    /boat|vessel|ship|launch|cutter|ferry|skiff|interceptor|cargo|tanker|tug|yacht|fishing|sailing/,
  ],
  ['air', /air|heli|plane|drone|uav/],
  ['foot', /foot|officer|person|portable|handheld|radio|k9|dog|bicycle|diver/],
  ['post', /post|station|checkpoint|base|shelter|tower|building|office/],
  ['vehicle', /car|truck|vehicle|van|jeep|suv|pickup|ambulance|engine|bus|motor|bike|atv|patrol/],
];

/** The family of a kind; a kind nobody foresaw is `other`, never an error. */
export function familyOf(kind: string): Family {
  for (const [family, words] of WORDS) if (words.test(kind)) return family;
  return 'other';
}

/** Afloat and aloft, speed is told in knots. */
export const nautical = (kind: string): boolean => ['boat', 'air'].includes(familyOf(kind));

/**
 * One letter for each agency, so that colour is never the only difference: the first letter of
 * the code that no other took, passing over a first letter that several codes share (the B of
 * Belize).
 */
export function marks(agencies: readonly { id: number; code: string }[]): Map<number, string> {
  const letters = (code: string): string[] =>
    [...code.toUpperCase()].filter((c) => /[A-Z]/.test(c));
  const first = new Map<string, number>();
  for (const { code } of agencies) {
    const letter = letters(code)[0] ?? '';
    first.set(letter, (first.get(letter) ?? 0) + 1);
  }
  const taken = new Set<string>();
  const found = new Map<number, string>();
  for (const { id, code } of [...agencies].sort((a, b) => a.id - b.id)) {
    const all = letters(code);
    const own = all.length > 1 && (first.get(all[0] ?? '') ?? 0) > 1 ? all.slice(1) : all;
    const mark = own.find((letter) => !taken.has(letter)) ?? String(found.size + 1);
    taken.add(mark);
    found.set(id, mark);
  }
  return found;
}
