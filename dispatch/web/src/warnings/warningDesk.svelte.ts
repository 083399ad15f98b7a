import type { Rights } from '../admin/answers';
import { language } from '../language.svelte';
import { Board, newActionId } from '../state/board.svelte';
import { Entrance } from '../state/entrance.svelte';
import { failureText, problemText, type Answer } from '../state/http';
import { Shelf } from '../state/storage';
import type { ClientFrame, ServerFrame, SignedIn } from '../wire/frames';
import type {
  AdviceWhole,
  Beginnings,
  Begun,
  Content,
  FileArea,
  Heard,
  MessageEnd,
  MessageShown,
  Part,
  Point,
  Preview,
  Report,
  Standing,
} from './answers';
import { Composition } from './composition.svelte';
import { refusedIn } from './findings';
import { lines, type Line } from './standing';

/** Actions of dispatch that are about a message that is there. */
type About = 'check' | 'approve' | 'approve_alone' | 'take_back' | 'send' | 'drop';

const OPEN = 'warning-open';
const NOTHING_HEARD: Heard = { alerts: [], feeds: [] };
const LISTEN_EVERY = 20_000;

/** The page of warnings: who is at it, what is being written, what is in force. */
export class WarningDesk extends Entrance {
  rights = $state.raw<Rights | null>(null);
  beginnings = $state.raw<Beginnings | null>(null);
  ends = $state.raw<ReadonlyMap<number, MessageEnd>>(new Map());
  /** What others warn of. */
  heard = $state.raw<Heard>(NOTHING_HEARD);
  /** One of it, which is looked at. */
  advice = $state.raw<AdviceWhole | null>(null);
  /** The message that is open. */
  open = $state.raw<Composition | null>(null);
  /** Why something could not be read. */
  problem = $state('');
  /** What was done last, for who did it. */
  done = $state('');
  ownMap = $state<string | null>(null);
  /** The rights were read, and the caller has none here. */
  barred = $state(false);
  #desk: Board | null = $state.raw(null);
  #force: Board | null = $state.raw(null);
  #shelf: Shelf | null = null;
  /** Ids of actions of which nobody knows yet whether they were done, by what they ask for. */
  #asked = new Map<string, string>();
  #opening = 0;

  constructor() {
    super('psn-warnings/0.1');
    setInterval(() => {
      if (this.beginnings && !this.locked && this.connection.live) void this.listen();
    }, LISTEN_EVERY);
  }

  lines: Line[] = $derived(
    lines(
      this.#desk?.all('warning_message') ?? [],
      this.ends,
      this.#force?.all('warning') ?? [],
      this.now,
    ),
  );

  get home(): Rights['agencies'][number] | undefined {
    return this.rights?.agencies.find(({ id }) => id === this.rights?.agency);
  }

  /** One's own id as authors have it. */
  get me(): number {
    return Number(this.account?.me.split(':')[1] ?? 0);
  }

  may(what: Beginnings['may'][number]): boolean {
    return this.beginnings?.may.includes(what) ?? false;
  }

  /** Whether somebody else has to approve what this one has written in. */
  needsOther(content: Content, authors: readonly { id: number }[]): boolean {
    const two = this.beginnings?.two_people.includes(content.status) ?? true;
    return two && authors.some(({ id }) => id === this.me);
  }

  line(message: number): Line | undefined {
    return this.lines.find((line) => line.message.id === message);
  }

  /** Open a message; what was typed in another is kept. */
  async show(message: number): Promise<void> {
    this.advice = null;
    if (this.open?.id === message) return;
    const asked = ++this.#opening;
    this.done = '';
    const answer = await this.#read(message);
    if (asked !== this.#opening || !this.#shelf) return;
    this.problem = answer.ok ? '' : problemText(answer);
    if (!answer.ok) return;
    this.open?.close();
    this.open = new Composition(answer.value, this.#office, this.#shelf);
    this.#shelf.set(OPEN, message);
  }

  /** Back to the list; what was typed is kept. */
  leave(): void {
    this.#opening++;
    this.open?.close();
    this.open = this.advice = null;
    this.done = '';
    this.#shelf?.set(OPEN, 0);
  }

  /** Whom a message has reached, as it is known now. */
  report(message: number): Promise<Answer<Report>> {
    return this.get<Report>(`/api/warnings/${message}/report`);
  }

  /** What others warn of, as it is now. */
  async listen(): Promise<void> {
    const answer = await this.get<Heard>('/api/warnings/heard');
    if (answer.ok && this.#shelf) this.heard = answer.value;
  }

  /** Look at an alert of others. */
  async showAdvice(advice: number): Promise<void> {
    const asked = ++this.#opening;
    const answer = await this.get<AdviceWhole>(`/api/warnings/heard/${advice}`);
    if (asked !== this.#opening || !this.#shelf) return;
    this.problem = answer.ok ? '' : problemText(answer);
    if (answer.ok) this.advice = answer.value;
  }

  /** Begin a warning of our own from an alert of others, and open it. */
  async reissue(heard: number, said: string): Promise<Answer<Begun>> {
    const answer = await this.#begun(await this.do<Begun>('warning.reissue', { heard }), said);
    if (answer.ok) void this.listen();
    return answer;
  }

  /** The parts of an area that a file has; `km`: how far from a track is warned. */
  areaOf(file: File, km: number): Promise<Answer<FileArea>> {
    return this.send<FileArea>('POST', `/api/warnings/area?km=${km}`, file);
  }

  /** The border of a part alone as it goes out: closed, and of few points. */
  async borderOf(part: Part): Promise<Answer<Point[] | undefined>> {
    const content: Content = { status: 'Test', area: { name: '–', parts: [part] } };
    const answer = await this.send<Preview>('POST', '/api/warnings/preview', { content });
    return answer.ok ? { ok: true, value: answer.value.area?.polygons[0] } : answer;
  }

  /** Begin a warning, and open it. */
  async begin(content: Content, said: string): Promise<Answer<Begun>> {
    return this.#begun(await this.do<Begun>('warning.begin', { content }), said);
  }

  /** Begin an Update or a Cancel of a warning that was sent, and open it. */
  async follow(kind: 'update' | 'cancel', warning: number, said: string): Promise<Answer<Begun>> {
    return this.#begun(await this.do<Begun>(`warning.${kind}`, { warning }), said);
  }

  /** Do something about the open message; everything that was typed is saved first. */
  async act<T extends Standing>(
    what: About,
    body: Record<string, unknown>,
    said: (answer: T) => string,
  ): Promise<Answer<T>> {
    const { open } = this;
    if (!open) return { ok: false, text: '', code: 'not_found' };
    if (what !== 'drop' && !(await open.settled())) {
      return { ok: false, text: open.problem, code: 'not_saved' };
    }
    const answer = await this.do<T>(`warning.${what}`, { message: open.id, ...body });
    if (answer.ok) {
      this.done = said(answer.value);
      await open.stands(answer.value);
    }
    return answer;
  }

  /** An action of dispatch. One whose answer was lost is asked for again under its id: done once. */
  async do<T>(action: string, body: unknown, given = ''): Promise<Answer<T>> {
    const asked = `${action} ${JSON.stringify(body)}`;
    const id = given || (this.#asked.get(asked) ?? newActionId());
    this.#asked.set(asked, id);
    const answer = await this.send<{ result: T }>('POST', `/api/do/${action}?id=${id}`, body);
    if (answer.ok || answer.code !== 'unreachable') this.#asked.delete(asked);
    if (answer.ok) return { ok: true, value: answer.value.result };
    return { ...answer, text: refusedIn(language.now, { ...answer, text: failureText(answer) }) };
  }

  readonly #office = {
    do: <T>(action: string, body: unknown, id: string) => this.do<T>(action, body, id),
    read: (message: number) => this.#read(message),
    preview: (message: number, content: Content) =>
      this.send<Preview>('POST', '/api/warnings/preview', { message, content }),
    later: (milliseconds: number, act: () => void) => {
      const timer = setTimeout(act, milliseconds);
      return () => clearTimeout(timer);
    },
  };

  #read(message: number): Promise<Answer<MessageShown>> {
    return this.get<MessageShown>(`/api/warnings/messages/${message}`);
  }

  async #begun(answer: Answer<Begun>, said: string): Promise<Answer<Begun>> {
    if (answer.ok) {
      await this.show(answer.value.message);
      this.done = said;
    }
    return answer;
  }

  async #load(): Promise<void> {
    const [rights, config, beginnings] = await Promise.all([
      this.get<Rights>('/api/rights'),
      this.get<{ pmtiles: string | null }>('/api/config'),
      this.get<Beginnings>('/api/warnings/templates'),
    ]);
    if (config.ok) this.ownMap = config.value.pmtiles;
    if (rights.ok) this.rights = rights.value;
    if (beginnings.ok) this.beginnings = beginnings.value;
    this.barred = !beginnings.ok && beginnings.code === 'not_allowed';
    const failed = [rights, beginnings].find((one) => !one.ok);
    this.problem = failed && !failed.ok && !this.barred ? problemText(failed) : '';
    if (!beginnings.ok) return;
    await Promise.all([this.#loadEnds(), this.listen()]);
    const last = this.#shelf?.get<number>(OPEN, 0);
    if (last && !this.open) await this.show(last);
    this.open?.again();
  }

  async #loadEnds(): Promise<void> {
    const answer = await this.get<{ messages: MessageEnd[] }>('/api/warnings/messages');
    if (answer.ok) this.ends = new Map(answer.value.messages.map((each) => [each.id, each]));
  }

  protected override entered(frame: SignedIn, same: boolean): void {
    if (!same) this.left();
    if (this.#desk) return;
    this.#shelf = new Shelf(frame.me, localStorage);
    const line = {
      send: (out: ClientFrame) => this.connection.send(out),
      next: () => this.connection.next(),
      live: () => this.connection.live && !this.locked,
      now: () => this.clock(),
    };
    const nothing = { load: () => [], save: () => true };
    this.#desk = new Board('warning_desk', nothing, line);
    this.#force = new Board('warnings', nothing, line);
  }

  protected override opened(): void {
    this.#desk?.resumed();
    this.#force?.resumed();
    void this.#load();
  }

  protected override take(frame: ServerFrame): void {
    this.#force?.take(frame);
    this.#desk?.take(frame);
    if (frame.t !== 'news' || frame.topic !== 'warning_desk' || this.barred) return;
    void this.#loadEnds();
    const { open } = this;
    const now = open && this.#desk?.get('warning_message', open.id);
    if (!open || !now) return;
    // What this window did last is no news any more once somebody has gone on from there.
    if (now.stage !== open.stage) this.done = '';
    void open.heard(now.stage, now.digest);
  }

  protected override left(): void {
    this.open?.close();
    this.#desk?.stop();
    this.#force?.stop();
    this.#desk = this.#force = this.open = null;
    this.rights = this.beginnings = this.advice = null;
    this.heard = NOTHING_HEARD;
    this.ends = new Map();
    this.#shelf = null;
    this.problem = this.done = '';
    this.barred = false;
  }
}
