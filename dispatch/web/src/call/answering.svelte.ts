import { Entrance } from '../state/entrance.svelte';
import { Shelf } from '../state/storage';
import { withoutControls } from '../state/bidi';
import { LONGEST } from '../state/callDraft';
import { surplus } from '../state/format';
import { strings } from '../strings';
import type { SignedIn } from '../wire/frames';
import { alike, Handing, newReport, type Handed, type Report } from './handing.svelte';

/** What an incident may be. */
export interface Kind {
  id: number;
  name: string;
  name_es?: string | null;
}

const said = ({ notes, place }: Report): boolean => notes.trim() !== '' || place.trim() !== '';

/** Why a report cannot be sent as it is; empty: it can. */
function unfit(report: Report): string {
  if (!said(report)) return strings.answering.missing;
  const { happened: notes } = strings.answering;
  const { place, callerNumber: caller_number, callerName: caller_name } = strings.calls;
  const names = { notes, place, caller_number, caller_name } as const;
  for (const field of ['notes', 'place', 'caller_number', 'caller_name'] as const) {
    const over = surplus(report[field], LONGEST[field]);
    if (over > 0) return strings.answering.tooLong(names[field], over);
  }
  return '';
}

/** What the small form is about: one report, kept in the browser until it is received. */
export class Answering extends Entrance {
  report = $state.raw<Report>(newReport('agency'));
  sent = $state(false);
  /** A report was received, and something was typed after it was handed in. */
  onward = $state(false);
  /** Why the server did not take it. */
  refused = $state('');
  /** It was to be handed in as it is. */
  #tried = $state(false);
  /** None until it is known. */
  may = $state<boolean | null>(null);
  /** Kinds of incidents of the own agency, by name; none while they are not known. */
  kinds = $state.raw<readonly Kind[]>([]);
  readonly handing: Handing;
  #shelf: Shelf | null = null;

  constructor() {
    super('psn-call/0.1');
    this.handing = new Handing({
      ready: () => this.account !== null && !this.locked,
      send: ({ id, report }) => {
        const { place, lon, lat, type, ...rest } = report;
        const body = { ...rest, ...(type === null ? {} : { type }) };
        const path = `/api/do/call.receive?id=${id}`;
        return this.send('POST', path, { ...body, place: { text: place, lon, lat } });
      },
      keep: (waiting) => this.#shelf?.set('handed', waiting),
      received: (handed) => this.#received(handed),
      refused: (text) => (this.refused = text),
    });
  }

  /** Why it is not sent, until that is put right. */
  get problem(): string {
    return (this.#tried && unfit(this.report)) || this.refused;
  }

  change(fields: Partial<Report>): void {
    this.report = { ...this.report, ...withoutControls(fields) };
    this.#shelf?.set('report', this.report);
  }

  hand(): void {
    this.onward = false;
    this.refused = '';
    this.#tried = unfit(this.report) !== '';
    if (!this.#tried) this.handing.hand(this.report);
  }

  another(): void {
    this.sent = false;
  }

  #received({ report }: Handed): void {
    this.refused = '';
    const whole = alike(report, this.report) || !said(this.report);
    this.onward = !whole && this.handing.waiting.length === 0;
    if (!whole) return;
    this.sent = true;
    this.report = newReport(report.line);
    this.#shelf?.drop('report');
  }

  protected override entered(frame: SignedIn, same: boolean): void {
    if (same && this.#shelf) return;
    this.#shelf = new Shelf(frame.me, localStorage);
    this.report = { ...newReport('agency'), ...this.#shelf.get<Partial<Report>>('report', {}) };
    this.handing.take(this.#shelf.get<Handed[]>('handed', []));
  }

  protected override opened(): void {
    void this.handing.pump();
    void this.get<{ types: Kind[] }>('/api/incident-types').then((answer) => {
      if (answer.ok) this.kinds = answer.value.types;
    });
    void this.get<{ rights: Record<string, Record<string, string>> }>('/api/rights').then(
      (answer) => {
        if (answer.ok) this.may = answer.value.rights['call']?.['take'] !== undefined;
      },
    );
  }

  protected override left(): void {
    this.may = null;
    this.sent = this.onward = false;
    this.refused = '';
    this.#tried = false;
    this.report = newReport('agency');
    this.kinds = [];
    this.#shelf = null;
    this.handing.take([]);
  }
}
