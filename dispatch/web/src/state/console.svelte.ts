import { strings } from '../strings';
import { Connection, type Phase } from '../wire/connection';
import type { Address, Auth, ServerFrame, SignedIn, WireError } from '../wire/frames';
import { getJson } from './http';
import { conversationOf, type Item } from './mail';
import { Mailroom } from './mailroom.svelte';
import { Picture } from './picture.svelte';
import { Shelf } from './storage';

const SLOW = 2_000;
const TOKEN = 'psn:session';

export type MessageView =
  { page: 'list' } | { page: 'new' } | { page: 'with'; addresses: Address[] };
export type Panel = 'messages' | 'activity';

/** What the page is about: one connection, one account, one picture. */
export class Console {
  phase = $state<Phase>('off');
  account = $state.raw<SignedIn | null>(null);
  picture = $state.raw(new Picture());
  mailroom = $state.raw<Mailroom | null>(null);
  /** Why signing in failed, or why it is needed again. */
  signInProblem = $state('');
  /** Server's time when the connection was lost. */
  lostSince = $state<number | null>(null);
  latency = $state(0);
  problem = $state<WireError | null>(null);
  /** Server's time, every second. */
  now = $state(Date.now());
  panel = $state<Panel>('messages');
  view = $state.raw<MessageView>({ page: 'list' });
  fences = $state.raw<GeoJSON.FeatureCollection | null>(null);
  /** Address of the operator's own map (PMTiles), if there is one. */
  ownMap = $state<string | null>(null);
  /** A session of before the reload is being taken up. */
  resuming = $state(false);
  #connection: Connection;

  constructor() {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this.#connection = new Connection({
      url: `${scheme}://${location.host}/ws`,
      client: 'psn-console/0.1',
      seen: () => this.#seen(),
      events: {
        phase: (phase) => this.#enter(phase),
        signedIn: (frame) => this.#signedIn(frame),
        refused: (error) => (this.signInProblem = `${error.text} ${error.todo}`),
        ended: (text) => this.#ended(text),
        frame: (frame) => this.#take(frame),
        latency: (milliseconds) => (this.latency = milliseconds),
      },
    });
    setInterval(() => (this.now = this.clock()), 1000);
    addEventListener('online', () => this.retry());
    const kept = keptSession();
    if (kept) {
      this.resuming = true;
      this.#connection.start({ kind: 'session', token: kept.token });
    }
  }

  degraded = $derived(this.latency > SLOW);

  /** The server's time, milliseconds UTC. */
  clock(): number {
    return Math.round(this.#connection.clock.at(Date.now()));
  }

  signIn(name: string, password: string): void {
    this.signInProblem = '';
    const auth: Auth = { kind: 'password', name, password };
    this.#connection.start(auth);
  }

  signOut(): void {
    this.#connection.signOut();
    this.#forget('');
  }

  retry(): void {
    this.#connection.retryNow();
  }

  get<T>(path: string): ReturnType<typeof getJson<T>> {
    return getJson<T>(path, this.account?.token ?? null);
  }

  /** Open the conversation with these, beside the map. */
  write(addresses: Address[]): void {
    this.panel = 'messages';
    this.view = { page: 'with', addresses };
  }

  /** An emergency was taken note of here: it counts as read, and its conversation opens. */
  acknowledge(item: Item): void {
    this.mailroom?.markRead([item.id]);
    if (this.account) this.write(conversationOf(this.account.me, item.sender, item.to));
  }

  /** What an address is called: by the roster, else by what was written with it before. */
  name(address: Address): string {
    return this.picture.name(address) ?? this.mailroom?.name(address) ?? address.replace(':', ' ');
  }

  select(id: number | null): void {
    this.picture.selected = id;
  }

  #enter(phase: Phase): void {
    const was = this.phase;
    this.phase = phase;
    if (phase === 'live') this.lostSince = null;
    const connected = was === 'live' || was === 'catching_up';
    if (phase === 'waiting' && connected) this.lostSince ??= this.clock();
    if (phase === 'waiting' && !this.account) this.signInProblem = strings.signIn.waiting;
  }

  #signedIn(frame: SignedIn): void {
    const same = this.account?.me === frame.me;
    this.account = frame;
    this.resuming = false;
    this.signInProblem = '';
    this.latency = 0;
    keepSession({ token: frame.token, me: frame.me });
    if (!same || !this.mailroom) {
      this.mailroom = new Mailroom(frame, new Shelf(frame.me, localStorage), {
        send: (out) => this.#connection.send(out),
        next: () => this.#connection.next(),
        resume: () => this.#connection.resume(),
        live: () => this.#connection.live,
        now: () => this.clock(),
        get: (path) => this.get(path),
      });
    }
    this.#connection.send({ t: 'watch', n: this.#connection.next() });
    this.mailroom.resumed(frame.boxes);
    void this.#loadFences();
    void this.#loadConfig();
  }

  #take(frame: ServerFrame): void {
    if (frame.t === 'error' && !frame.id) this.problem = frame;
    if (frame.t === 'ok') this.problem = null;
    this.picture.take(frame);
    this.mailroom?.take(frame);
  }

  #ended(text: string): void {
    this.#forget(text || strings.signIn.ended);
  }

  #forget(text: string): void {
    forgetSession();
    this.account = null;
    this.mailroom = null;
    this.resuming = false;
    this.lostSince = null;
    this.problem = null;
    this.picture = new Picture();
    this.fences = null;
    this.view = { page: 'list' };
    this.signInProblem = text;
  }

  #seen(): Record<string, number> {
    if (this.mailroom) return Object.fromEntries(this.mailroom.book.cursors);
    const kept = keptSession();
    return kept ? new Shelf(kept.me, localStorage).get('cursors', {}) : {};
  }

  async #loadConfig(): Promise<void> {
    const answer = await this.get<{ pmtiles: string | null }>('/api/config');
    if (answer.ok) this.ownMap = answer.value.pmtiles;
  }

  async #loadFences(): Promise<void> {
    const answer = await this.get<GeoJSON.FeatureCollection>('/api/fences');
    if (!answer.ok) return;
    this.fences = answer.value;
    this.picture.fenceNames = new Map(
      answer.value.features.map(({ properties }) => [
        Number(properties?.['id']),
        String(properties?.['name']),
      ]),
    );
  }
}

interface Kept {
  token: string;
  me: Address;
}

/** Kept for this tab only, so that a reload does not ask for the password again. */
function keepSession(kept: Kept): void {
  try {
    sessionStorage.setItem(TOKEN, JSON.stringify(kept));
  } catch {
    // Without storage a reload signs out; nothing else is lost.
  }
}

function keptSession(): Kept | null {
  try {
    return JSON.parse(sessionStorage.getItem(TOKEN) ?? 'null') as Kept | null;
  } catch {
    return null;
  }
}

function forgetSession(): void {
  try {
    sessionStorage.removeItem(TOKEN);
  } catch {
    // Nothing was kept either.
  }
}
