import { SvelteSet } from 'svelte/reactivity';
import type { ServerFrame } from '../wire/frames';
import type { InForce } from '../wire/items';
import { Board, type Keep, type Line } from './board.svelte';

/** What was read here, as it is kept: a reload shows nothing as new that was read before it. */
export interface ReadHere {
  load(): string[];
  save(read: readonly string[]): unknown;
  /** The warnings themselves, where they are to be seen after a restart without a line. */
  items?: { load(): InForce[]; save(items: readonly InForce[]): unknown };
}

const STATUSES: readonly string[] = ['Actual', 'Exercise', 'Test'];
const SEVERITIES: readonly string[] = ['Extreme', 'Severe', 'Moderate', 'Minor'];
/** The end of a warning is read for itself. */
const nameOf = ({ id, state }: InForce): string => `${id} ${state}`;
const rank = (order: readonly string[], word: string): number =>
  (order.indexOf(word) + order.length + 1) % (order.length + 1);

/** The gravest first, what is Actual before all exercises; of alike ones the newest. */
export function byGravity(a: InForce, b: InForce): number {
  return (
    rank(STATUSES, a.status) - rank(STATUSES, b.status) ||
    rank(SEVERITIES, a.severity) - rank(SEVERITIES, b.severity) ||
    b.sent - a.sent
  );
}

/** Words of a warning in somebody's language, or the first that there are. */
export const wordsIn = (
  { texts }: InForce,
  language: string,
): InForce['texts'][number] | undefined =>
  texts.find((text) => text.language.startsWith(language)) ?? texts[0];

/** Warnings that are shown here, and which of them somebody here has read. */
export class Warned {
  readonly #board: Board;
  readonly #read: SvelteSet<string>;
  readonly #kept: ReadHere;
  readonly #now: () => number;

  /** What is over by the clock is not shown, also where no line says so. */
  readonly #shown = $derived.by(() =>
    this.#board
      .all('warning')
      .filter(({ state, ends }) => state !== 'in_force' || ends > this.#now())
      .sort(byGravity),
  );
  readonly inForce = $derived(this.#shown.filter(({ state }) => state === 'in_force'));
  /** To be read and confirmed. */
  readonly unread = $derived(this.#shown.filter((one) => !this.#read.has(nameOf(one))));
  /** In force, and confirmed here. */
  readonly read = $derived(
    this.#shown.filter((one) => one.state === 'in_force' && this.#read.has(nameOf(one))),
  );
  /** Something is heard though the device is muted. */
  readonly loud = $derived(this.unread.some(({ loud, state }) => loud && state === 'in_force'));

  /** `now`: by the server's clock, milliseconds UTC. */
  constructor(line: Line, actions: Keep, kept: ReadHere, now: () => number) {
    this.#board = new Board('warnings', actions, line);
    this.#kept = kept;
    this.#read = new SvelteSet(kept.load());
    this.#now = now;
    for (const one of kept.items?.load() ?? []) this.#board.items.set(`warning:${one.id}`, one);
  }

  /** Somebody here has read it; while it is in force the server is told. */
  confirm(one: InForce): void {
    this.#read.add(nameOf(one));
    const known = new Set(this.#board.all('warning').map(({ id }) => String(id)));
    for (const name of this.#read) {
      if (!known.has(name.split(' ')[0] ?? '')) this.#read.delete(name);
    }
    this.#kept.save([...this.#read]);
    if (one.state === 'in_force') void this.#board.do('warning.confirm', { message: one.id });
  }

  resumed(): void {
    this.#board.resumed();
  }

  take(frame: ServerFrame): void {
    this.#board.take(frame);
    if (frame.t === 'news' && frame.topic === 'warnings') {
      this.#kept.items?.save(this.#board.all('warning'));
    }
    // Who may not confirm it any more need not be told so.
    for (const unheard of this.#board.unheard) this.#board.heard(unheard);
  }

  stop(): void {
    this.#board.stop();
  }
}
