/**
 * The command line: what a line means, and what could follow. Pure; never throws.
 *
 * A line is a command and its parts. Each part is read from the words where the one before ended,
 * by the longest name that fits, so that names may have blanks. Where the line ends, the last
 * part offers the names that begin like what is there.
 */
import type { Strings } from '../strings';
import {
  folded,
  type Entry,
  type Lexicon,
  type NamedIncident,
  type Names,
  type NamedUnit,
} from './lexicon';
import { timeIn, type Span } from './span';
import {
  OUTCOMES,
  STATUSES,
  written,
  type IncidentOutcome,
  type LayoutAct,
  type SaidStatus,
} from './vocabulary';

/** What Enter does. */
export type Deed =
  | { do: 'assign'; incident: number; units: number[]; text: string }
  | { do: 'status'; unit: number; status: SaidStatus }
  | { do: 'find_unit'; unit: number }
  | { do: 'find_incident'; incident: number }
  | { do: 'find_place'; text: string }
  | { do: 'message'; unit: number; text: string }
  | { do: 'note'; incident: number; text: string }
  | { do: 'call' }
  | { do: 'open'; title: string }
  | { do: 'close'; incident: number; outcome: IncidentOutcome; text: string }
  | { do: 'emergency'; unit: number }
  | { do: 'remind'; at: number; text: string }
  | { do: 'welfare'; unit: number; every: number }
  | { do: 'layout'; name: string; act: LayoutAct | 'choose' }
  | { do: 'requests' }
  | { do: 'help' };

/** A way to go on: the whole line with it, and how it is shown. */
export interface Offer {
  line: string;
  label: string;
  detail: string;
}
export interface Reading {
  /** None while something is missing or wrong. */
  deed: Deed | null;
  /** What Enter will do, or what is missing or wrong; empty for an empty line. */
  says: string;
  /** `says` tells of a mistake, not only of what is still missing. */
  wrong: boolean;
  offers: readonly Offer[];
}

const MOST_OFFERS = 8;
const MOST_WORDS = 5;

/** Why a line is not ready; `wrong` unless it only goes on. */
class Stop {
  constructor(
    readonly says: string,
    readonly wrong: boolean,
  ) {}
}

/** Reads one line. */
class Reader {
  readonly words: string[];
  at = 0;
  offers: Offer[] = [];
  readonly #open: boolean;
  readonly #starts: number[] = [];
  readonly line: string;

  constructor(line: string) {
    this.line = line;
    this.words = [];
    for (const found of line.matchAll(/\S+/g)) {
      this.words.push(found[0]);
      this.#starts.push(found.index);
    }
    this.#open = /\s$/.test(line);
  }

  get more(): boolean {
    return this.at < this.words.length;
  }

  /** The rest of the line as it was typed. */
  text(): string {
    const from = this.#starts[this.at];
    this.at = this.words.length;
    return from === undefined ? '' : this.line.slice(from).trim();
  }

  /** The longest name that comes next; none when no name fits. */
  take<T>(names: Names<T>): readonly Entry<T>[] {
    this.offer(names);
    for (let count = Math.min(MOST_WORDS, this.words.length - this.at); count > 0; count--) {
      const found = names.get(this.words.slice(this.at, this.at + count).join(' '));
      if (found.length === 0) continue;
      this.at += count;
      return found;
    }
    return [];
  }

  /** What may come next here replaces what might have come before. */
  offer<T>(names: Names<T>, also = false): void {
    if (!this.more && !this.#open && this.words.length > 0) return;
    const fragment = folded(this.words.slice(this.at).join(' '));
    const typed = fragment && this.#open ? `${fragment} ` : fragment;
    const before = this.line.slice(0, this.#starts[this.at] ?? this.line.length);
    const found = names.begin(typed).map(({ label, detail }) => ({
      line: `${before}${label} `,
      label,
      detail,
    }));
    // Two things may be called alike; a line is offered once.
    const lines = new Map<string, Offer>();
    for (const offer of [...(also ? this.offers : []), ...found]) {
      if (!lines.has(offer.line)) lines.set(offer.line, offer);
    }
    this.offers = [...lines.values()].slice(0, MOST_OFFERS);
  }

  silent(): void {
    if (this.more || this.#open) this.offers = [];
  }
}

/** What a line means in words and in deed. */
export function read(line: string, lexicon: Lexicon, strings: Strings): Reading {
  // The key that leads here is often typed once more.
  const reader = new Reader(line.replace(/^\s*[/;]+/, ''));
  try {
    const [deed, says] = new Grammar(reader, lexicon, strings).line();
    return { deed, says, wrong: false, offers: reader.offers };
  } catch (stop) {
    // Whatever else goes wrong is a line that is not understood, never a page that breaks.
    if (!(stop instanceof Stop)) console.error('command line:', stop);
    const { says, wrong } =
      stop instanceof Stop ? stop : new Stop(strings.command.unknownCommand(line.trim()), true);
    return { deed: null, says, wrong, offers: reader.offers };
  }
}

type Meant = readonly [Deed | null, string];

/** The parts of each command, and the sentences for them. */
class Grammar {
  readonly #say: Strings['command'];

  constructor(
    readonly reader: Reader,
    readonly lexicon: Lexicon,
    strings: Strings,
  ) {
    this.#say = strings.command;
  }

  line(): Meant {
    const { reader, lexicon } = this;
    if (!reader.more) {
      reader.offer(lexicon.commands);
      return [null, ''];
    }
    const named = reader.take(lexicon.commands)[0]?.value;
    if (!named) return this.#bare();
    reader.silent();
    const meant = this[named]();
    if (reader.more) throw new Stop(this.#say.tooMuch(reader.text()), true);
    return meant;
  }

  /** A name alone is looked for. */
  #bare(): Meant {
    const { reader, lexicon } = this;
    const word = reader.words[0] ?? '';
    reader.offer(lexicon.units, true);
    reader.offer(lexicon.incidents, true);
    const typed = reader.text();
    reader.at = 0;
    const found = this.#unitOrIncident(typed);
    if (!found) throw new Stop(this.#say.unknownCommand(word), true);
    reader.at = reader.words.length;
    return found;
  }

  assign(): Meant {
    const { reader, lexicon } = this;
    const units: NamedUnit[] = [];
    let incident: NamedIncident | undefined;
    while (reader.more) {
      if (!incident) {
        const found = reader.take(lexicon.incidents);
        if (found.length > 0) {
          incident = this.#one(found, 'incident');
          continue;
        }
        reader.offer(lexicon.own, true);
      }
      const further = incident !== undefined && units.length > 0;
      const unit = further ? reader.take(lexicon.own) : this.#takeSilently(lexicon.units);
      if (unit.length > 0) units.push(this.#own(unit));
      else if (incident && units.length > 0) break;
      else throw new Stop(this.#say.unknownHere(this.#word()), this.#settled());
    }
    if (!incident || units.length === 0) {
      reader.offer(lexicon.own);
      if (!incident) reader.offer(lexicon.incidents, true);
      throw new Stop(
        units.length === 0 ? this.#say.needUnitOrIncident : this.#say.needIncident,
        false,
      );
    }
    const text = reader.text();
    const ids = [...new Set(units.map(({ id }) => id))];
    const names = this.#list([...new Set(units.map(({ callsign }) => callsign))]);
    const said = this.#say.assign(names, nameOf(incident));
    return [{ do: 'assign', incident: incident.id, units: ids, text }, this.#with(said, text)];
  }

  status(): Meant {
    const unit = this.#ownUnit();
    const status = this.#named(this.lexicon.statuses, 'Status');
    return [
      { do: 'status', unit: unit.id, status },
      `${this.#say.status(unit.callsign, written(STATUSES[status], this.lexicon.language))}.`,
    ];
  }

  find(): Meant {
    const { reader, lexicon } = this;
    reader.offer(lexicon.units);
    reader.offer(lexicon.incidents, true);
    if (!reader.more) throw new Stop(this.#say.needFind, false);
    const typed = reader.text();
    return (
      this.#unitOrIncident(typed) ?? [
        { do: 'find_place', text: typed },
        `${this.#say.findPlace(typed)}.`,
      ]
    );
  }

  message(): Meant {
    const unit = this.#unit(this.lexicon.units);
    const text = this.#text();
    return [{ do: 'message', unit: unit.id, text }, this.#say.message(unit.callsign, text)];
  }

  note(): Meant {
    const incident = this.#incident();
    const text = this.#text();
    return [{ do: 'note', incident: incident.id, text }, this.#say.note(nameOf(incident), text)];
  }

  call(): Meant {
    return [{ do: 'call' }, `${this.#say.call}.`];
  }

  open(): Meant {
    const title = this.#text(this.#say.needTitle);
    return [{ do: 'open', title }, this.#say.open(title)];
  }

  close(): Meant {
    const incident = this.#incident();
    const outcome = this.#named(this.lexicon.outcomes, 'Outcome');
    const text = this.reader.text();
    const word = written(OUTCOMES[outcome], this.lexicon.language);
    const said = this.#say.close(nameOf(incident), word);
    return [{ do: 'close', incident: incident.id, outcome, text }, this.#with(said, text)];
  }

  emergency(): Meant {
    const unit = this.#ownUnit();
    return [{ do: 'emergency', unit: unit.id }, `${this.#say.emergency(unit.callsign)}.`];
  }

  remind(): Meant {
    const span = this.#span();
    const text = this.#text();
    return [{ do: 'remind', at: span.at, text }, this.#say.remind(span.clock, text)];
  }

  welfare(): Meant {
    const unit = this.#ownUnit();
    const { seconds, words } = this.#span();
    if (seconds < 60 || seconds > 86_400) throw new Stop(this.#say.everyRange, true);
    return [
      { do: 'welfare', unit: unit.id, every: seconds },
      `${this.#say.welfare(unit.callsign, words)}.`,
    ];
  }

  layout(): Meant {
    const { reader, lexicon } = this;
    reader.offer(lexicon.layouts);
    reader.offer(lexicon.layoutActs, true);
    if (!reader.more) throw new Stop(this.#say.needLayout, false);
    const act = this.#takeSilently(lexicon.layoutActs)[0]?.value ?? 'choose';
    if (act === 'save') {
      const name = this.#text(this.#say.needLayoutName);
      return [{ do: 'layout', name, act }, this.#say.layouts.save(name)];
    }
    if (act === 'drop') reader.offer(lexicon.layouts);
    if (!reader.more) throw new Stop(this.#say.needLayout, false);
    const name = this.#takeSilently(lexicon.layouts)[0]?.value;
    if (!name) throw new Stop(this.#say.unknownLayout(reader.text()), this.#settled());
    return [{ do: 'layout', name, act }, this.#say.layouts[act](name)];
  }

  requests(): Meant {
    return [{ do: 'requests' }, `${this.#say.requests}.`];
  }

  help(): Meant {
    return [{ do: 'help' }, `${this.#say.helpSays}.`];
  }

  #unitOrIncident(typed: string): Meant | null {
    const units = this.lexicon.units.get(typed);
    if (units.length > 0) {
      const unit = this.#one(units, 'unit');
      return [{ do: 'find_unit', unit: unit.id }, `${this.#say.findUnit(unit.callsign)}.`];
    }
    const incidents = this.lexicon.incidents.get(typed);
    if (incidents.length === 0) return null;
    const incident = this.#one(incidents, 'incident');
    return [
      { do: 'find_incident', incident: incident.id },
      `${this.#say.findIncident(nameOf(incident))}.`,
    ];
  }

  #takeSilently<T>(names: Names<T>): readonly Entry<T>[] {
    const { offers } = this.reader;
    const found = this.reader.take(names);
    this.reader.offers = offers;
    return found;
  }

  #unit(names: Names<NamedUnit>): NamedUnit {
    const { reader } = this;
    if (!reader.more) {
      reader.offer(names);
      throw new Stop(this.#say.needUnit, false);
    }
    reader.offer(names);
    const found = this.#takeSilently(this.lexicon.units);
    if (found.length === 0) throw new Stop(this.#say.unknownUnit(this.#word()), this.#settled());
    return this.#one(found, 'unit');
  }

  #ownUnit(): NamedUnit {
    const unit = this.#unit(this.lexicon.own);
    return this.#mustBeOwn(unit);
  }

  #own(found: readonly Entry<NamedUnit>[]): NamedUnit {
    return this.#mustBeOwn(this.#one(found, 'unit'));
  }

  #mustBeOwn(unit: NamedUnit): NamedUnit {
    if (!unit.own) throw new Stop(this.#say.notOwn(unit.callsign, unit.agency), true);
    return unit;
  }

  #incident(): NamedIncident {
    const { reader, lexicon } = this;
    if (!reader.more) {
      reader.offer(lexicon.incidents);
      throw new Stop(this.#say.needIncident, false);
    }
    const found = reader.take(lexicon.incidents);
    if (found.length === 0) {
      throw new Stop(this.#say.unknownIncident(this.#word()), this.#settled());
    }
    return this.#one(found, 'incident');
  }

  /** Of several of one name the only one of the own agency is meant; else it must be said. */
  #one<T extends { own: boolean }>(found: readonly Entry<T>[], kind: 'unit' | 'incident'): T {
    const own = found.filter(({ value }) => value.own);
    const chosen = own.length === 1 ? own[0] : found.length === 1 ? found[0] : undefined;
    if (chosen) return chosen.value;
    const choices = found
      .map(({ label, detail }) => (kind === 'unit' ? `${detail}/${label}` : label))
      .slice(0, 5);
    throw new Stop(
      this.#say.several(this.reader.words[this.reader.at - 1] ?? '', choices.join(', ')),
      true,
    );
  }

  #named<T>(names: Names<T>, kind: 'Status' | 'Outcome'): T {
    const { reader } = this;
    if (!reader.more) {
      reader.offer(names);
      throw new Stop(this.#say[`need${kind}`], false);
    }
    const found = reader.take(names)[0];
    if (!found) {
      // `en` is no mistake yet where `en route` may follow.
      const going = reader.offers.length > 0;
      throw new Stop(this.#say[`unknown${kind}`](reader.text()), !going);
    }
    return found.value;
  }

  #span(): Span {
    const { reader, lexicon } = this;
    reader.silent();
    if (!reader.more) throw new Stop(this.#say.needDuration, false);
    const typed = reader.words[reader.at] ?? '';
    const span = timeIn(typed, lexicon.world.now);
    if (!span) throw new Stop(this.#say.unknownDuration(typed), true);
    reader.at += 1;
    return span;
  }

  #text(missing = this.#say.needText): string {
    this.reader.silent();
    const text = this.reader.text();
    if (!text) throw new Stop(missing, false);
    return text;
  }

  /** Nothing known begins so: it is a mistake, not only half a name. */
  #settled(): boolean {
    return this.reader.offers.length === 0;
  }

  #word(): string {
    return this.reader.words[this.reader.at] ?? '';
  }

  #list(names: readonly string[]): string {
    const last = names.at(-1) ?? '';
    return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} ${this.#say.and} ${last}`;
  }

  #with(said: string, text: string): string {
    return text ? `${said}, ${this.#say.withText(text)}.` : `${said}.`;
  }
}

const nameOf = ({ number, title }: NamedIncident): string => `${number} ${title}`;
