import { newActionId } from '../state/board.svelte';
import { Entrance } from '../state/entrance.svelte';
import { problemText } from '../state/http';
import { Shelf } from '../state/storage';
import { strings } from '../strings';
import type { SignedIn } from '../wire/frames';
import type { Call } from '../wire/items';

export interface Report {
  /** The action's id: sent twice it is received once. */
  id: string;
  line: Call['line'];
  caller_name: string;
  caller_number: string;
  place: string;
  lon: number | null;
  lat: number | null;
  notes: string;
}

export const newReport = (line: Call['line']): Report => ({
  id: newActionId(),
  line,
  caller_name: '',
  caller_number: '',
  place: '',
  lon: null,
  lat: null,
  notes: '',
});

/** What the small form is about: one report, kept in the browser until it is received. */
export class Answering extends Entrance {
  report = $state.raw<Report>(newReport('agency'));
  sending = $state(false);
  sent = $state(false);
  problem = $state('');
  /** None until it is known. */
  may = $state<boolean | null>(null);
  #shelf: Shelf | null = null;

  constructor() {
    super('psn-call/0.1');
  }

  change(fields: Partial<Report>): void {
    this.report = { ...this.report, ...fields };
    this.#shelf?.set('report', this.report);
  }

  async hand(): Promise<void> {
    const { id, line, caller_name, caller_number, place, lon, lat, notes } = this.report;
    if (!notes.trim() && !place.trim()) {
      this.problem = strings.answering.missing;
      return;
    }
    this.sending = true;
    const body = { line, caller_name, caller_number, notes, place: { text: place, lon, lat } };
    const answer = await this.send('POST', `/api/do/call.receive?id=${id}`, body);
    this.sending = false;
    this.problem = answer.ok ? '' : problemText(answer);
    if (!answer.ok) return;
    this.sent = true;
    this.report = newReport(line);
    this.#shelf?.drop('report');
  }

  another(): void {
    this.sent = false;
  }

  protected override entered(frame: SignedIn, same: boolean): void {
    if (same && this.#shelf) return;
    this.#shelf = new Shelf(frame.me, localStorage);
    this.report = this.#shelf.get('report', newReport('agency'));
  }

  protected override opened(): void {
    void this.get<{ rights: Record<string, Record<string, string>> }>('/api/rights').then(
      (answer) => {
        if (answer.ok) this.may = answer.value.rights['call']?.['take'] !== undefined;
      },
    );
  }

  protected override left(): void {
    this.may = null;
    this.sent = false;
    this.problem = '';
    this.report = newReport('agency');
    this.#shelf = null;
  }
}
