/** What can be named on the command line, and by which names. Pure. */
import { spoken, type Language } from '../strings';
import { fold } from './filter';
import {
  COMMANDS,
  LAYOUT_ACTS,
  OUTCOMES,
  STATUSES,
  written,
  type CommandName,
  type IncidentOutcome,
  type LayoutAct,
  type SaidStatus,
} from './vocabulary';

export interface NamedUnit {
  id: number;
  callsign: string;
  /** Code of its agency. */
  agency: string;
  own: boolean;
}
export interface NamedIncident {
  id: number;
  number: string;
  title: string;
  own: boolean;
}
/** What a line may speak of. */
export interface World {
  units: readonly NamedUnit[];
  /** Open ones. */
  incidents: readonly NamedIncident[];
  /** Names under which the desk's arrangement is saved. */
  layouts?: readonly string[];
  /** The server's time, ms UTC. */
  now: number;
}

/** Something that a name stands for, and how it is offered. */
export interface Entry<T> {
  value: T;
  label: string;
  detail: string;
}
/** Names of one kind of thing. */
export class Names<T> {
  readonly #by = new Map<string, Entry<T>[]>();
  readonly #shown: (readonly [string, Entry<T>])[] = [];

  /** `offered`: it is shown among what may follow; aliases are only understood. */
  add(name: string, entry: Entry<T>, offered: boolean): void {
    const key = folded(name);
    const there = this.#by.get(key);
    if (!there) this.#by.set(key, [entry]);
    else if (!there.some((one) => one.value === entry.value)) there.push(entry);
    if (offered) this.#shown.push([key, entry]);
  }

  get(name: string): readonly Entry<T>[] {
    return this.#by.get(folded(name)) ?? [];
  }

  begin(fragment: string): Entry<T>[] {
    return this.#shown
      .filter(([key, { label }]) => key.startsWith(fragment) && folded(label) !== fragment)
      .map(([, entry]) => entry);
  }
}

export const folded = (name: string): string => fold(name).split(/\s+/).filter(Boolean).join(' ');

/** What everything is called, for one world and language; making it once serves many lines. */
export class Lexicon {
  readonly units = new Names<NamedUnit>();
  readonly own = new Names<NamedUnit>();
  readonly incidents = new Names<NamedIncident>();
  readonly statuses = new Names<SaidStatus>();
  readonly outcomes = new Names<IncidentOutcome>();
  readonly commands = new Names<CommandName>();
  readonly layouts = new Names<string>();
  readonly layoutActs = new Names<LayoutAct>();

  constructor(
    readonly world: World,
    readonly language: Language = spoken,
  ) {
    for (const unit of world.units) this.#unit(unit);
    for (const unit of world.units) this.#offer(unit);
    for (const incident of world.incidents) this.#incident(incident);
    for (const name of world.layouts ?? []) {
      this.layouts.add(name, { value: name, label: name, detail: '' }, true);
    }
    this.#words(this.layoutActs, LAYOUT_ACTS);
    this.#words(this.statuses, STATUSES);
    this.#words(this.outcomes, OUTCOMES);
    this.#words(this.commands, COMMANDS);
  }

  #unit(unit: NamedUnit): void {
    const entry = { value: unit, label: unit.callsign, detail: unit.agency };
    const whole = `${unit.agency}/${unit.callsign}`;
    this.units.add(unit.callsign, entry, false);
    this.units.add(whole, { ...entry, label: whole }, false);
    if (!unit.own) return;
    this.own.add(unit.callsign, entry, true);
  }

  /** Of several of one callsign only the own one is meant by it; the others say their agency. */
  #offer(unit: NamedUnit): void {
    const alike = this.units.get(unit.callsign).map(({ value }) => value);
    const own = alike.filter((one) => one.own);
    const plain = alike.length === 1 || (unit.own && own.length === 1);
    const whole = `${unit.agency}/${unit.callsign}`;
    const label = plain ? unit.callsign : whole;
    const entry = { value: unit, label, detail: unit.agency };
    this.units.add(unit.callsign, entry, true);
    if (!plain) this.units.add(whole, entry, true);
  }

  #incident(incident: NamedIncident): void {
    const entry = { value: incident, label: incident.number, detail: incident.title };
    this.incidents.add(incident.number, entry, true);
    const parts = /^(.*-)0*(\d+)$/.exec(incident.number);
    if (!parts) return;
    this.incidents.add(`${parts[1]}${parts[2]}`, entry, false);
    this.incidents.add(String(parts[2]), entry, false);
  }

  #words<T extends string>(
    names: Names<T>,
    of: Readonly<Record<T, Readonly<Record<Language, readonly string[]>>>>,
  ): void {
    for (const value of Object.keys(of) as T[]) {
      const label = written(of[value], this.language);
      const long = of[value][this.language][1] ?? '';
      const entry = { value, label, detail: long.length > label.length ? long : '' };
      for (const language of ['en', 'es'] as const) {
        for (const name of of[value][language]) names.add(name, entry, name === label);
      }
    }
  }
}
