import { Entrance } from '../state/entrance.svelte';
import { Shelf } from '../state/storage';
import { strings } from '../strings';
import type { SignedIn } from '../wire/frames';
import { alike, Handing, newReport, type Handed, type Report } from './handing.svelte';

const said = ({ notes, place }: Report): boolean => notes.trim() !== '' || place.trim() !== '';

/** What the small form is about: one report, kept in the browser until it is received. */
export class Answering extends Entrance {
  report = $state.raw<Report>(newReport('agency'));
  sent = $state(false);
  /** A report was received, and something was typed after it was handed in. */
  onward = $state(false);
  problem = $state('');
  /** None until it is known. */
  may = $state<boolean | null>(null);
  readonly handing: Handing;
  #shelf: Shelf | null = null;

  constructor() {
    super('psn-call/0.1');
    this.handing = new Handing({
      ready: () => this.account !== null && !this.locked,
      send: ({ id, report }) => {
        const { place, lon, lat, ...body } = report;
        const path = `/api/do/call.receive?id=${id}`;
        return this.send('POST', path, { ...body, place: { text: place, lon, lat } });
      },
      keep: (waiting) => this.#shelf?.set('handed', waiting),
      received: (handed) => this.#received(handed),
      refused: (text) => (this.problem = text),
    });
  }

  change(fields: Partial<Report>): void {
    this.report = { ...this.report, ...fields };
    this.#shelf?.set('report', this.report);
  }

  hand(): void {
    this.onward = false;
    this.problem = said(this.report) ? '' : strings.answering.missing;
    if (!this.problem) this.handing.hand(this.report);
  }

  another(): void {
    this.sent = false;
  }

  #received({ report }: Handed): void {
    this.problem = '';
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
    void this.get<{ rights: Record<string, Record<string, string>> }>('/api/rights').then(
      (answer) => {
        if (answer.ok) this.may = answer.value.rights['call']?.['take'] !== undefined;
      },
    );
  }

  protected override left(): void {
    this.may = null;
    this.sent = this.onward = false;
    this.problem = '';
    this.report = newReport('agency');
    this.#shelf = null;
    this.handing.take([]);
  }
}
