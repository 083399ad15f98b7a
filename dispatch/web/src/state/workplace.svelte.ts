import { EVERYTHING, type BoardFilter } from '../panels/incidents/arrange';
import { newActionId } from './board.svelte';
import { chosenBy, windowKind, windowName, type Chosen, type WindowKind } from './windows';

export type ListTab = 'incidents' | 'units' | 'alarms' | 'watch';
const OPEN = 'psn:open';
const TABS: readonly ListTab[] = ['incidents', 'units', 'alarms', 'watch'];

/** What a window remembers of how it was arranged. */
interface Layout {
  list: ListTab;
  filter: BoardFilter;
}

/**
 * What is open at one dispatcher's desk besides the map and the messages. He may have two windows,
 * one with the map and one with the work: what is chosen in one is chosen in the other.
 */
export class Workplace {
  readonly window: WindowKind = windowKind(location.search);
  /** This window's own name, under which it keeps what waits to be sent. */
  readonly name = windowName(sessionStorage, globalThis, newActionId);
  list = $state<ListTab>('units');
  filter = $state.raw<BoardFilter>(EVERYTHING);
  /** The incident that is open. */
  incident = $state<number | null>(null);
  /** Units are being chosen for the open incident: in its panel, in the list, on the map. */
  assigning = $state(false);
  chosen = $state.raw<ReadonlySet<number>>(new Set());
  /** What the open incident's panel is asked to begin with; it sets this back. */
  begin = $state<'note' | 'close' | null>(null);
  /** Something was chosen in the other window. */
  onFollow: (chosen: Chosen) => void = () => undefined;
  #channel: BroadcastChannel | null = null;

  constructor(private readonly me: () => string | null) {
    this.#recall();
    if (!('BroadcastChannel' in globalThis)) return;
    this.#channel = new BroadcastChannel('psn:chosen');
    this.#channel.onmessage = ({ data }) => {
      const chosen = chosenBy(data, this.me());
      if (chosen) this.onFollow(chosen);
    };
  }

  /** Tell the other window what was chosen here. */
  tell(chosen: Chosen): void {
    this.#channel?.postMessage({ me: this.me(), ...chosen });
  }

  show(list: ListTab): void {
    this.list = list;
    this.#remember();
  }

  choose(filter: BoardFilter): void {
    this.filter = filter;
    this.#remember();
  }

  /** Begin to choose units for the open incident. */
  assign(...units: readonly number[]): void {
    this.chosen = new Set(this.assigning ? [...this.chosen, ...units] : units);
    this.assigning = true;
  }

  /** A unit is chosen, or not any more. */
  toggle(unit: number): void {
    const chosen = new Set(this.chosen);
    if (!chosen.delete(unit)) chosen.add(unit);
    this.chosen = chosen;
  }

  endAssigning(): void {
    this.assigning = false;
    this.chosen = new Set();
  }

  /** Another incident is open, or none; after a reload it is open again. */
  open(incident: number | null): void {
    if (this.incident !== incident) this.endAssigning();
    this.incident = incident;
    try {
      sessionStorage.setItem(OPEN, JSON.stringify(incident));
    } catch {
      // After a reload none is open, then.
    }
  }

  /** Somebody else sits here now. */
  clear(): void {
    this.open(null);
    this.begin = null;
    this.endAssigning();
  }

  get #key(): string {
    return `psn:layout:${this.window}`;
  }

  #recall(): void {
    try {
      const open = JSON.parse(sessionStorage.getItem(OPEN) ?? 'null') as unknown;
      if (typeof open === 'number') this.incident = open;
      const kept = JSON.parse(localStorage.getItem(this.#key) ?? 'null') as Partial<Layout> | null;
      if (kept?.list && TABS.includes(kept.list)) this.list = kept.list;
      if (kept?.filter) this.filter = { ...EVERYTHING, ...kept.filter };
    } catch {
      // What cannot be read is arranged as for a newcomer.
    }
  }

  #remember(): void {
    const layout: Layout = { list: this.list, filter: this.filter };
    try {
      localStorage.setItem(this.#key, JSON.stringify(layout));
    } catch {
      // The arrangement then lasts until the page is closed.
    }
  }
}
