import { strings } from '../strings';
import { Connection, type Phase } from '../wire/connection';
import type {
  Address,
  Auth,
  FactorKind,
  Proof,
  ServerFrame,
  SignedIn,
  WireError,
} from '../wire/frames';
import { Account } from './account.svelte';
import { Attention } from './attention';
import { ask, getJson, type Answer } from './http';
import { keepKnownPlace, knownPlace } from './known';
import { conversationOf, type Item } from './mail';
import { Mailroom } from './mailroom.svelte';
import { usePasskey } from './passkey';
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
  /** The password was right, and one of these is asked for beside it. */
  secondStep = $state.raw<FactorKind[] | null>(null);
  /** One's own account; there while somebody is signed in. */
  own = $state.raw<Account | null>(null);
  /** Nobody was active for long: the lock screen covers everything, and nothing comes. */
  locked = $state(false);
  /** An emergency has come while it is locked. */
  emergencyWaits = $state(false);
  /** Why unlocking did not succeed. */
  unlockProblem = $state('');
  unlocking = $state(false);
  /** Server's time when the console locks, once that is near. */
  locksAt = $state<number | null>(null);
  /** Server's time when the session ends, once that is near. */
  endsAt = $state<number | null>(null);
  /** How often an alarm was silenced from the lock screen. */
  hushed = $state(0);
  #connection: Connection;
  #attention: Attention;
  #otherWindows: BroadcastChannel | null = null;
  #name = '';
  #watched = false;
  #unlock = 0;

  constructor() {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this.#connection = new Connection({
      url: `${scheme}://${location.host}/ws`,
      client: 'psn-console/0.1',
      seen: () => this.#seen(),
      events: {
        phase: (phase) => this.#enter(phase),
        signedIn: (frame) => this.#signedIn(frame),
        refused: (error) => this.#refused(error),
        ended: (text) => this.#ended(text),
        frame: (frame) => this.#take(frame),
        latency: (milliseconds) => (this.latency = milliseconds),
      },
    });
    this.#attention = new Attention(
      () => this.#connection.send({ t: 'active' }),
      () => Date.now(),
    );
    if ('BroadcastChannel' in globalThis) {
      // A dispatcher has windows on two screens: whoever is at one of them is at both.
      this.#otherWindows = new BroadcastChannel('psn:active');
      this.#otherWindows.onmessage = ({ data }) => {
        if (data === this.account?.me) this.#active();
      };
    }
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

  signIn(name: string, password: string, code = ''): void {
    this.signInProblem = '';
    this.#name = name;
    const auth: Auth = { kind: 'password', name, password };
    const known = knownPlace(name);
    if (known !== undefined) auth.known = known;
    if (code) auth.code = code;
    this.#connection.start(auth);
  }

  /** Back from the second step to name and password. */
  startOver(): void {
    this.secondStep = null;
    this.signInProblem = '';
  }

  /** Sign in by a passkey: alone, or after name and password. */
  async signInByPasskey(name = '', password = ''): Promise<void> {
    this.signInProblem = '';
    const first = name && password ? { name, password, known: knownPlace(name) } : {};
    const answer = await sessionByPasskey(first);
    if (!answer.ok) {
      this.signInProblem = answer.text;
      return;
    }
    if (name) keepKnownPlace(name, answer.value.known);
    this.#connection.start({ kind: 'session', token: answer.value.token });
  }

  /** Somebody uses this window. */
  touched(): void {
    if (this.#active()) this.#otherWindows?.postMessage(this.account?.me);
  }

  /** Go on with a console that has locked. */
  unlock(password: string): void {
    this.#prove({ kind: 'password', password });
  }

  async unlockByPasskey(): Promise<void> {
    this.unlockProblem = '';
    const answer = await sessionByPasskey({});
    if (answer.ok) this.#prove({ kind: 'token', token: answer.value.token });
    else this.unlockProblem = answer.text;
  }

  /** A second factor was enrolled where one was asked for: now the console opens. */
  enrolled(): void {
    this.#connection.resume();
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

  #active(): boolean {
    if (!this.account || this.locked || this.account.limited || !this.#connection.live) {
      return false;
    }
    const told = this.#attention.touched();
    if (told) this.locksAt = null;
    return told;
  }

  #prove(proof: Proof): void {
    this.unlockProblem = '';
    this.#unlock = this.#connection.next();
    this.unlocking = this.#connection.send({ t: 'unlock', n: this.#unlock, proof });
    if (!this.unlocking) this.unlockProblem = strings.lock.noLine;
  }

  #refused(error: WireError): void {
    // A code that was wrong is typed again: name and password are still there.
    if (error.kinds) this.secondStep = error.kinds;
    else this.signInProblem = `${error.text} ${error.todo}`;
  }

  #signedIn(frame: SignedIn): void {
    const same = this.account?.me === frame.me;
    this.account = frame;
    this.resuming = false;
    this.signInProblem = '';
    this.latency = 0;
    this.secondStep = null;
    this.locked = frame.locked ?? false;
    this.unlocking = false;
    this.locksAt = this.endsAt = null;
    this.#watched = false;
    if (frame.known) keepKnownPlace(this.#name, frame.known);
    keepSession({ token: frame.token, me: frame.me });
    if (!same || !this.own) this.own = new Account(() => this.account?.token ?? null);
    if (frame.limited) return;
    if (!same || !this.mailroom) {
      this.mailroom = new Mailroom(frame, new Shelf(frame.me, localStorage), {
        send: (out) => this.#connection.send(out),
        next: () => this.#connection.next(),
        resume: () => this.#connection.resume(),
        live: () => this.#connection.live && !this.locked,
        now: () => this.clock(),
        get: (path) => this.get(path),
      });
    }
    if (!this.locked) this.#goOn();
  }

  /** Picture and mail come from here on: after signing in, or after unlocking. */
  #goOn(): void {
    if (!this.#watched) {
      this.#watched = this.#connection.send({ t: 'watch', n: this.#connection.next() });
    }
    this.mailroom?.resumed(this.account?.boxes ?? {});
    void this.#loadFences();
    void this.#loadConfig();
  }

  #take(frame: ServerFrame): void {
    switch (frame.t) {
      case 'locking':
        this.locksAt = this.clock() + frame.seconds * 1000;
        this.#attention.warned();
        return;
      case 'ending':
        this.endsAt = this.clock() + frame.seconds * 1000;
        return;
      case 'locked':
        this.locked = true;
        this.locksAt = null;
        this.unlockProblem = '';
        return;
      case 'unlocked':
        this.locked = this.unlocking = this.emergencyWaits = false;
        this.#goOn();
        return;
      case 'emergency_waits':
        this.emergencyWaits = true;
        return;
      case 'error':
        if (frame.n === this.#unlock && this.unlocking) {
          this.unlocking = false;
          this.unlockProblem = `${frame.text} ${frame.todo}`;
          return;
        }
        // What was under way when it locked is done again by itself.
        if (!frame.id && frame.code === 'locked') return;
        if (!frame.id) this.problem = frame;
        break;
      case 'ok':
        this.problem = null;
        break;
    }
    this.picture.take(frame);
    this.mailroom?.take(frame);
  }

  #ended(text: string): void {
    this.#forget(text || strings.signIn.ended);
  }

  #forget(text: string): void {
    forgetSession();
    this.account = null;
    this.own = null;
    this.mailroom = null;
    this.secondStep = null;
    this.locked = this.unlocking = this.emergencyWaits = false;
    this.locksAt = this.endsAt = null;
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

interface ByPasskey {
  token: string;
  known: string;
}

/** A session for who uses a passkey here; `first` is name and password when it is a second factor. */
async function sessionByPasskey(first: object): Promise<Answer<ByPasskey>> {
  const at = '/api/sign-in/passkey';
  const begun = await ask<{ publicKey: unknown }>('POST', `${at}/options`, null, first);
  if (!begun.ok) return begun;
  const used = await usePasskey(begun.value.publicKey);
  if (!used.done) return { ok: false, code: used.why, text: strings.passkey[used.why] };
  return ask<ByPasskey>('POST', at, null, { credential: used.credential });
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
