import { Entrance } from '../state/entrance.svelte';
import { problemText, type Answer } from '../state/http';
import { newId } from '../state/outbox';
import type { SignedIn } from '../wire/frames';
import type { Agency, Rights } from './answers';

const RENEW_EVERY = 10_000;
/** What is answered when it may have been done all the same. */
const UNSURE: ReadonlySet<string> = new Set(['unreachable', 'unavailable']);

export const TABS = [
  'people',
  'devices',
  'units',
  'groups',
  'radio',
  'sharing',
  'agencies',
  'sessions',
  'audit',
  'kinds',
  'stations',
  'crews',
  'fences',
  'places',
] as const;
export type Tab = (typeof TABS)[number];
/** Those about the data that dispatch works with. */
export const FOR_DISPATCH: readonly Tab[] = ['kinds', 'stations', 'crews', 'fences', 'places'];

type Right = [kind: string, action: string];
const PREPARES: Right[] = [
  ['incident', 'see'],
  ['unit', 'manage'],
];
/** What one must be allowed to do to be shown a tab: one of these. */
const NEEDS: Record<Tab, Right[]> = {
  people: [['person', 'see']],
  devices: [['device', 'see']],
  units: [['unit', 'manage']],
  groups: [['group', 'see']],
  radio: [['radio', 'see']],
  sharing: [['agreement', 'see']],
  agencies: [['retention', 'see']],
  sessions: [['session', 'see']],
  audit: [['audit', 'see']],
  kinds: PREPARES,
  stations: PREPARES,
  crews: PREPARES,
  fences: [['layer', 'see']],
  places: [['place', 'see']],
};

/** What the page of administration is about: who is at it, and what he may do. */
export class Office extends Entrance {
  rights = $state.raw<Rights | null>(null);
  /** Why the rights could not be loaded. */
  problem = $state('');
  /** Grows when lists should be loaded anew. */
  version = $state(0);
  /** What was done last, in words. */
  done = $state('');
  /** Ids of actions of which nobody knows yet whether they were done, by what they ask for. */
  #asked = new Map<string, string>();

  constructor() {
    super('psn-admin/0.1');
    setInterval(() => {
      if (!document.hidden && !this.locked && this.rights) this.version += 1;
    }, RENEW_EVERY);
  }

  may(kind: string, action: string): boolean {
    return this.rights?.rights[kind]?.[action] !== undefined;
  }

  tabs = $derived(TABS.filter((tab) => NEEDS[tab].some((right) => this.may(...right))));

  agency(id: number | null): Agency | undefined {
    return this.rights?.agencies.find((agency) => agency.id === id);
  }

  get home(): Agency | undefined {
    return this.agency(this.rights?.agency ?? null);
  }

  /** All agencies but one's own. */
  get others(): Agency[] {
    return this.rights?.agencies.filter(({ id }) => id !== this.rights?.agency) ?? [];
  }

  /** Have something done; what is shown is loaded anew, and `said` is told. */
  async act<T>(
    method: 'POST' | 'DELETE',
    path: string,
    body: unknown,
    said: string | ((value: T) => string),
  ): Promise<Answer<T>> {
    const work = () => this.send<T>(method, path, body);
    const answer = await (this.own?.proven(work) ?? work());
    if (answer.ok) {
      this.done = typeof said === 'string' ? said : said(answer.value);
      this.version += 1;
    }
    return answer;
  }

  /** An action of dispatch. One whose answer was lost is asked for again under its id: done once. */
  async do(action: string, body: unknown, said: string): Promise<Answer<unknown>> {
    const asked = `${action} ${JSON.stringify(body)}`;
    const id = this.#asked.get(asked) ?? newId((bytes) => crypto.getRandomValues(bytes));
    this.#asked.set(asked, id);
    const answer = await this.act('POST', `/api/do/${action}?id=${id}`, body, said);
    if (answer.ok || !UNSURE.has(answer.code)) this.#asked.delete(asked);
    return answer;
  }

  async load(): Promise<void> {
    const answer = await this.get<Rights>('/api/rights');
    if (answer.ok) this.rights = answer.value;
    this.problem = answer.ok ? '' : problemText(answer);
  }

  protected override entered(_frame: SignedIn, same: boolean): void {
    if (!same) this.rights = null;
  }

  protected override opened(): void {
    void this.load();
    this.version += 1;
  }

  protected override left(): void {
    this.rights = null;
    this.done = '';
  }
}

/** A list that is loaded, and loaded anew when something changed; what is shown stays meanwhile. */
export class Loaded<T> {
  value = $state.raw<T | null>(null);
  problem = $state('');

  /** To be made while a component is. */
  constructor(office: Office, path: () => string) {
    $effect(() => {
      void office.version;
      void this.#load(office, path());
    });
  }

  async #load(office: Office, path: string): Promise<void> {
    const answer = await office.get<T>(path);
    if (answer.ok) this.value = answer.value;
    this.problem = answer.ok ? '' : problemText(answer);
  }
}
