import { marks } from '../map/family';
import type {
  Address,
  Crossing,
  Roster,
  RosterAgency,
  RosterGroup,
  RosterPerson,
  ServerFrame,
} from '../wire/frames';
import { NO_FILTER, type Filter, type Order } from './filter';
import { UnitBook, type Unit } from './units';

const REDRAW_EVERY = 500;
const KEEP_CROSSINGS = 200;

export interface Agency extends RosterAgency {
  /** The letter on its symbols. */
  mark: string;
}

/** Who is who and where: the roster, the units, and what is chosen among them. */
export class Picture {
  readonly book = new UnitBook();
  agencies = $state.raw<Agency[]>([]);
  groups = $state.raw<RosterGroup[]>([]);
  people = $state.raw<RosterPerson[]>([]);
  /** Grows when lists should look at the book again: at most twice a second. */
  version = $state(0);
  filter = $state.raw<Filter>(NO_FILTER);
  order = $state<Order>('callsign');
  /** The middle of the map, degrees. */
  centre = $state.raw<{ lon: number; lat: number } | null>(null);
  selected = $state<number | null>(null);
  crossings = $state.raw<Crossing[]>([]);
  fenceNames = $state.raw<ReadonlyMap<number, string>>(new Map());
  /** Called when the map should look at the book; the map sets it. */
  onChange: () => void = () => undefined;
  #timer = 0;

  agency(id: number): Agency | undefined {
    return this.agencies.find((agency) => agency.id === id);
  }

  unit(id: number | null): Unit | undefined {
    return id === null ? undefined : this.book.units.get(id);
  }

  take(frame: ServerFrame): void {
    switch (frame.t) {
      case 'roster':
        this.#roster(frame);
        break;
      case 'roster_units':
        this.book.update(frame.units ?? []);
        this.book.remove(frame.removed ?? []);
        if (this.selected !== null && !this.book.units.has(this.selected)) this.selected = null;
        break;
      case 'roster_people':
        this.#people(frame);
        break;
      case 'picture':
        this.book.picture(frame.p);
        break;
      case 'gone':
        this.book.gone(frame.units);
        break;
      case 'presence':
        this.#presence(frame.who);
        break;
      case 'fence':
        this.crossings = [...frame.x.toReversed(), ...this.crossings].slice(0, KEEP_CROSSINGS);
        return;
      default:
        return;
    }
    this.onChange();
    this.#bump();
  }

  #roster(roster: Roster): void {
    this.#people(roster);
    this.book.roster(roster);
  }

  #people(named: Pick<Roster, 'agencies' | 'groups' | 'people'>): void {
    const letters = marks(named.agencies);
    this.agencies = named.agencies.map((agency) => ({
      ...agency,
      mark: letters.get(agency.id) ?? '',
    }));
    this.groups = named.groups;
    this.people = named.people;
  }

  #presence(who: Record<string, boolean>): void {
    let people = this.people;
    for (const [address, online] of Object.entries(who)) {
      const [kind, id] = address.split(':');
      if (kind === 'unit') this.book.presence(Number(id), online);
      if (kind === 'person') {
        people = people.map((one) => (one.id === Number(id) ? { ...one, online } : one));
      }
    }
    this.people = people;
  }

  /** The name of an address, as far as the roster tells; null for whom it does not hold. */
  name(address: Address): string | null {
    const [kind, number] = address.split(':');
    const id = Number(number);
    const name =
      kind === 'person'
        ? this.people.find((one) => one.id === id)?.name
        : kind === 'unit'
          ? this.book.units.get(id)?.callsign
          : kind === 'group'
            ? this.groups.find((one) => one.id === id)?.name
            : this.agency(id)?.name;
    return name ?? null;
  }

  /** Lists follow the positions slower than the map does. */
  #bump(): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.version += 1;
    }, REDRAW_EVERY) as unknown as number;
  }
}
