import { Entrance } from '../state/entrance.svelte';
import { problemText, type Answer } from '../state/http';
import type { SignedIn } from '../wire/frames';
import type { Rights } from '../admin/answers';
import type { By, HeatAnswer, NumbersAnswer } from './answers';
import { presetPeriod, type Period } from './periods';

/** What the page of numbers is about: who is at it, what he asked for, and what was answered. */
export class Report extends Entrance {
  rights = $state.raw<Rights | null>(null);
  numbers = $state.raw<NumbersAnswer | null>(null);
  heat = $state.raw<HeatAnswer | null>(null);
  problem = $state('');
  busy = $state(false);
  by = $state<By>('priority');
  period = $state.raw<Period>(presetPeriod('month', Date.now()));
  /** The operator's own map, if there is one. */
  ownMap = $state<string | null>(null);
  #asked = 0;

  constructor() {
    super('psn-numbers/0.1');
  }

  get may(): boolean {
    return this.rights?.rights['numbers']?.['see'] !== undefined;
  }

  get home(): Rights['agencies'][number] | undefined {
    return this.rights?.agencies.find(({ id }) => id === this.rights?.agency);
  }

  /** Ask for the period and grouping that are chosen; an answer to an older question is dropped. */
  async load(): Promise<void> {
    if (!this.may) return;
    const asked = ++this.#asked;
    this.busy = true;
    const [numbers, heat] = await Promise.all([
      this.get<NumbersAnswer>(`/api/numbers?${this.#query()}&by=${this.by}`),
      this.get<HeatAnswer>(`/api/numbers/heat?${this.#query()}`),
    ]);
    if (asked !== this.#asked) return;
    this.busy = false;
    if (numbers.ok) this.numbers = numbers.value;
    if (heat.ok) this.heat = heat.value;
    const failed = [numbers, heat].find((answer): answer is Failed => !answer.ok);
    this.problem = failed ? problemText(failed) : '';
  }

  /** The same as a file for spreadsheets, which the browser then saves. */
  async saveTable(): Promise<void> {
    const path = `/api/numbers.csv?${this.#query()}&by=${this.by}`;
    this.problem = await this.save(path, `numbers-by-${this.by}.csv`);
  }

  #query(): string {
    return `from=${this.period.begin}&to=${this.period.end}`;
  }

  async #open(): Promise<void> {
    const [rights, config] = await Promise.all([
      this.get<Rights>('/api/rights'),
      this.get<{ pmtiles: string | null }>('/api/config'),
    ]);
    if (config.ok) this.ownMap = config.value.pmtiles;
    if (rights.ok) this.rights = rights.value;
    this.problem = rights.ok ? '' : problemText(rights);
    await this.load();
  }

  protected override entered(_frame: SignedIn, same: boolean): void {
    if (!same) this.left();
  }

  protected override opened(): void {
    void this.#open();
  }

  protected override left(): void {
    this.rights = this.numbers = this.heat = null;
    this.problem = '';
  }
}

type Failed = Extract<Answer<unknown>, { ok: false }>;
