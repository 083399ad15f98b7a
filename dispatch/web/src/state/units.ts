import type { Roster, RosterUnit, Seat, Shown } from '../wire/frames';

export interface Place {
  /** Milliseconds UTC by the unit's own clock. */
  time: number;
  lon: number;
  lat: number;
  /** Metres per second. */
  speed: number | null;
  /** Degrees clockwise from true north. */
  heading: number | null;
  /** Metres. */
  accuracy: number | null;
}

export interface Unit {
  id: number;
  agency: number;
  callsign: string;
  kind: string;
  online: boolean;
  shown: Shown;
  place: Place | null;
}

export type Age = 'live' | 'stale' | 'old' | 'none';
export const STALE_AFTER = 60_000;
export const OLD_AFTER = 300_000;

/** How old a unit's position is at `now` (server's clock, milliseconds). */
export function ageOf(unit: Unit, now: number): Age {
  if (!unit.place) return 'none';
  const age = now - unit.place.time;
  return age > OLD_AFTER ? 'old' : age > STALE_AFTER ? 'stale' : 'live';
}

/** A seat of the picture in degrees and metres per second. */
export function placeOf(seat: Seat): Place {
  const [, time, lon, lat, speed, heading, accuracy] = seat;
  return {
    time,
    lon: lon / 1e7,
    lat: lat / 1e7,
    speed: speed === null || speed === undefined ? null : speed / 100,
    heading: heading === null || heading === undefined ? null : heading / 100,
    accuracy: accuracy === null || accuracy === undefined ? null : accuracy / 100,
  };
}

/** What stands beside its symbol: a place that is only about right says so. */
export function labelOf(unit: Unit | undefined): string {
  if (!unit) return '';
  return unit.shown === 'blurred' ? `≈ ${unit.callsign}` : unit.callsign;
}

const HUMAN = new Intl.Collator('en', { numeric: true });

/** Every unit this session may see. Plain data: two thousand of them change every second. */
export class UnitBook {
  readonly units = new Map<number, Unit>();
  /** Units whose place or look changed since the map last looked; the map empties it. */
  readonly changed = new Set<number>();
  #byCallsign: readonly Unit[] | null = null;

  /** All units by callsign, as a person counts: P-9 before P-10. */
  byCallsign(): readonly Unit[] {
    this.#byCallsign ??= [...this.units.values()].sort((a, b) =>
      HUMAN.compare(a.callsign, b.callsign),
    );
    return this.#byCallsign;
  }

  /** A new roster: what is not in it is forgotten, places included. */
  roster(roster: Roster): void {
    for (const id of this.units.keys()) this.changed.add(id);
    this.units.clear();
    this.#byCallsign = null;
    for (const unit of roster.units) this.#put(unit, null);
  }

  /** Units that are new, or renamed, or moved to another agency. */
  update(units: readonly RosterUnit[]): void {
    for (const unit of units) this.#put(unit, this.units.get(unit.id)?.place ?? null);
  }

  #put(unit: RosterUnit, place: Place | null): void {
    const { id, agency, callsign, kind, online = false, shown = 'exact' } = unit;
    this.#byCallsign = null;
    this.units.set(id, { id, agency, callsign, kind, online, shown, place });
    this.changed.add(id);
  }

  /** Retired, or no longer shared: nothing of them is kept. */
  remove(ids: readonly number[]): void {
    for (const id of ids) {
      if (!this.units.delete(id)) continue;
      this.#byCallsign = null;
      this.changed.add(id);
    }
  }

  /** Newest positions. A position older than the one shown is passed over. */
  picture(seats: readonly Seat[]): void {
    for (const seat of seats) {
      const unit = this.units.get(seat[0]);
      if (!unit || (unit.place && unit.place.time > seat[1])) continue;
      unit.place = placeOf(seat);
      this.changed.add(unit.id);
    }
  }

  /** Off the map: out of the area, or no longer shared. */
  gone(ids: readonly number[]): void {
    for (const id of ids) {
      const unit = this.units.get(id);
      if (unit) unit.place = null;
      this.changed.add(id);
    }
  }

  /** Came or went. */
  presence(id: number, online: boolean): void {
    const unit = this.units.get(id);
    if (!unit) return;
    unit.online = online;
    this.changed.add(id);
  }
}
