import { SHOWN, type Agreement, type Shown } from './answers';

/** What is agreed between two agencies, one way, at one moment. */
export interface Agreed {
  units: Shown;
  messages: boolean;
  /** When the first of what makes it up ends; none: it has no end. */
  until: number | null;
  /** Those that make it up. */
  ids: number[];
}

/** The best of the agreements that hold at `now` (milliseconds UTC), as the server decides. */
export function agreed(all: Agreement[], owner: number, viewer: number, now: number): Agreed {
  const found = all.filter(
    (each) =>
      each.owner === owner &&
      each.viewer === viewer &&
      each.starts <= now &&
      (each.ends === null || now < each.ends),
  );
  const best = Math.max(0, ...found.map((each) => SHOWN.indexOf(each.units)));
  const ends = found.map((each) => each.ends).filter((end) => end !== null);
  return {
    units: SHOWN[best] ?? 'nothing',
    messages: found.some((each) => each.messages),
    until: ends.length > 0 ? Math.min(...ends) : null,
    ids: found.map((each) => each.id),
  };
}
