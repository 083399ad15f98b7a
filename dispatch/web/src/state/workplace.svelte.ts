import { EVERYTHING, type BoardFilter } from '../panels/incidents/arrange';
import type { Place } from '../wire/items';
import { newActionId } from './board.svelte';
import type { Refusal } from './board.svelte';
import { Draft, Drafts } from './drafts.svelte';
import { arrangementOf, type Arrangement, type ListTab, type Panel, type View } from './layout';
import type { Shelf } from './storage';
import { chosenBy, windowKind, windowName, type Chosen, type WindowKind } from './windows';

const OPEN = 'psn:open';

/** Whom to send to an incident, with what order, and where to when not to where it is. */
export interface Sending {
  open: boolean;
  units: readonly number[];
  text: string;
  meeting: Required<Place> | null;
}
const NOBODY: Sending = { open: false, units: [], text: '', meeting: null };

/**
 * What is open at one dispatcher's desk besides the map and the messages. He may have two windows,
 * one with the map and one with the work: what is chosen in one is chosen in the other.
 */
export class Workplace {
  /** What was asked for; a map that has no other window gets the work too. */
  window = $state<WindowKind>(windowKind(location.search));
  /** What the address asks for. */
  readonly asked = windowKind(location.search);
  /** This window's own name, under which it keeps what waits to be sent. */
  readonly name = windowName(sessionStorage, globalThis, newActionId);
  list = $state<ListTab>('units');
  filter = $state.raw<BoardFilter>(EVERYTHING);
  panel = $state<Panel>('messages');
  /** What the map showed last: this window's, or the other's where this one has none. */
  view: View | null = null;
  /** The incident that is open. */
  incident = $state<number | null>(null);
  /** Units that are chosen for the open incident: in its panel, in the list, on the map. */
  sending = $state.raw(new Draft(NOBODY));
  chosen = $derived<ReadonlySet<number>>(new Set(this.sending.typed.units));
  /** What the open incident's panel is asked to begin with; it sets this back. */
  begin = $state<'note' | 'close' | null>(null);
  /** Something was chosen in the other window. */
  onFollow: (chosen: Chosen) => void = () => undefined;
  #channel: BroadcastChannel | null = null;
  #drafts = new Drafts(null);
  #shelf: Shelf | null = null;

  constructor(private readonly me: () => string | null) {
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

  /** Beside the map. */
  turn(panel: Panel): void {
    this.panel = panel;
    this.#remember();
  }

  /** The map shows something else. */
  look(view: View): void {
    this.view = view;
    this.tell({ view });
    this.#remember();
  }

  get assigning(): boolean {
    return this.sending.typed.open;
  }

  /** Begin to choose units for the open incident. */
  assign(...units: readonly number[]): void {
    const before = this.assigning ? this.sending.typed.units : [];
    this.#unasked();
    this.sending.begin({ open: true, units: [...new Set([...before, ...units])] });
  }

  /** Sending these to the open incident was refused elsewhere: here it can be answered. */
  ask(units: readonly number[], text: string, why: Refusal): void {
    const { typed } = this.sending;
    const both = typed.text && text && typed.text !== text ? `${typed.text} ${text}` : '';
    // The keyboard stays where it is: the search field would scroll the question away.
    this.sending.type({ open: true, units, text: both || text || typed.text });
    this.sending.refused = why;
  }

  /** What was asked about other units is no question any more. */
  #unasked(): void {
    this.sending.refused = null;
  }

  /** A unit is chosen, or not any more. */
  toggle(unit: number): void {
    const { units } = this.sending.typed;
    const others = units.filter((one) => one !== unit);
    this.#unasked();
    this.sending.type({ units: others.length < units.length ? others : [...units, unit] });
  }

  /** Nobody is chosen any more; the words and the place are there again. */
  endAssigning(): void {
    this.#unasked();
    this.sending.type({ open: false, units: [] });
  }

  /** Another incident is open, or none; after a reload it is open again. */
  open(incident: number | null): void {
    this.incident = incident;
    this.#look();
    try {
      sessionStorage.setItem(OPEN, JSON.stringify(incident));
    } catch {
      // After a reload none is open, then.
    }
  }

  /** Somebody sits here: this is how he has arranged it, and what he has typed. */
  enter(shelf: Shelf, drafts: Drafts): void {
    this.#shelf = shelf;
    this.#drafts = drafts;
    this.#recall();
    this.#look();
  }

  /** Somebody else sits here now. */
  clear(): void {
    this.#shelf = null;
    this.#drafts = new Drafts(null);
    this.open(null);
    this.begin = null;
    this.#arrange(arrangementOf(null));
  }

  #look(): void {
    const { incident } = this;
    this.sending =
      incident === null ? new Draft(NOBODY) : this.#drafts.of(`assign:${incident}`, NOBODY);
  }

  /** Each kind of window is arranged by itself. */
  get #name(): string {
    return `layout:${this.asked}`;
  }

  #recall(): void {
    this.incident = openBefore();
    this.#arrange(arrangementOf(this.#shelf?.get(this.#name, null)));
    if (this.incident !== null) this.panel = 'incident';
    else if (this.panel === 'incident') this.panel = 'messages';
  }

  #arrange({ list, filter, panel, view }: Arrangement): void {
    Object.assign(this, { list, filter, panel, view });
  }

  #remember(): void {
    const { list, filter, panel, view } = this;
    const layout: Arrangement = { list, filter, panel, view };
    this.#shelf?.set(this.#name, layout);
  }
}

/** The incident that was open here before a reload. */
function openBefore(): number | null {
  try {
    const open = JSON.parse(sessionStorage.getItem(OPEN) ?? 'null') as unknown;
    return typeof open === 'number' ? open : null;
  } catch {
    return null;
  }
}
