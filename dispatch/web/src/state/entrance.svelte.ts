import { strings } from '../strings';
import { Connection, type Phase } from '../wire/connection';
import type { Auth, FactorKind, Proof, ServerFrame, SignedIn, WireError } from '../wire/frames';
import { Account } from './account.svelte';
import { Attention } from './attention';
import type { Speech } from '../wire/speech';
import { ask, failureText, getFile, getJson } from './http';
import { forgetSession, keepSession, keptSession } from './kept';
import { keepKnownPlace, knownPlace } from './known';
import { sessionByPasskey } from './passkey';
import { forgetWay, leave, proofAt, type AgencyProvider } from './provider';

/** Signing in, staying so, locking and unlocking: what every page has that somebody signs in to. */
export class Entrance {
  phase = $state<Phase>('off');
  account = $state.raw<SignedIn | null>(null);
  /** Why signing in failed, or why it is needed again. */
  signInProblem = $state('');
  /** The password was right, and one of these is asked for beside it. */
  secondStep = $state.raw<FactorKind[] | null>(null);
  /** One's own account; there while somebody is signed in. */
  own = $state.raw<Account | null>(null);
  /** Server's time when the connection was lost. */
  lostSince = $state<number | null>(null);
  latency = $state(0);
  /** Server's time, every second. */
  now = $state(Date.now());
  /** A session of before the reload is being taken up. */
  resuming = $state(false);
  /** Nobody was active for long: the lock screen covers everything, and nothing comes. */
  locked = $state(false);
  /** Why unlocking did not succeed. */
  unlockProblem = $state('');
  unlocking = $state(false);
  /** An emergency has come while it is locked. */
  emergencyWaits = $state(0);
  /** How often an alarm was silenced from the lock screen. */
  hushed = $state(0);
  /** Server's time when the page locks, once that is near. */
  locksAt = $state<number | null>(null);
  /** Server's time when the session ends, once that is near. */
  endsAt = $state<number | null>(null);
  protected readonly connection: Connection;
  #attention: Attention;
  #otherWindows: BroadcastChannel | null = null;
  #name = '';
  #unlock = 0;

  constructor(client: string) {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this.connection = new Connection({
      url: `${scheme}://${location.host}/ws`,
      client,
      seen: () => this.seen(),
      events: {
        phase: (phase) => this.#enter(phase),
        signedIn: (frame) => this.#signedIn(frame),
        refused: (error) => this.#refused(error),
        ended: (text) => this.#forget(text || strings.signIn.ended),
        frame: (frame) => this.#take(frame),
        latency: (milliseconds) => (this.latency = milliseconds),
        speech: (speech) => this.spoken(speech),
      },
    });
    this.#attention = new Attention(
      () => this.connection.send({ t: 'active' }),
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
      this.connection.start({ kind: 'session', token: kept.token });
    }
  }

  /** The server's time, milliseconds UTC. */
  clock(): number {
    return Math.round(this.connection.clock.at(Date.now()));
  }

  signIn(name: string, password: string, code = ''): void {
    this.signInProblem = '';
    this.#name = name;
    const auth: Auth = { kind: 'password', name, password };
    const known = knownPlace(name);
    if (known !== undefined) auth.known = known;
    if (code) auth.code = code;
    this.connection.start(auth);
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
    this.connection.start({ kind: 'session', token: answer.value.token });
  }

  /** Leave for an agency's own provider; it sends back to this page. */
  async signInAt(provider: AgencyProvider): Promise<void> {
    this.signInProblem = await leave(provider, location.pathname);
  }

  /** Somebody uses this window. */
  touched(): void {
    if (this.#active()) this.#otherWindows?.postMessage(this.account?.me);
  }

  /** Go on with a page that has locked. */
  unlock(password: string): void {
    this.#prove({ kind: 'password', password });
  }

  async unlockByPasskey(): Promise<void> {
    this.unlockProblem = '';
    const answer = await sessionByPasskey({});
    if (answer.ok) this.#prove({ kind: 'token', token: answer.value.token });
    else this.unlockProblem = answer.text;
  }

  /** In a window of its own, so that nothing is lost that was typed here. */
  async unlockAt(provider: AgencyProvider): Promise<void> {
    this.unlockProblem = '';
    this.#prove({ kind: 'token', token: await proofAt(provider) });
  }

  /** A second factor was enrolled where one was asked for: now the page opens. */
  enrolled(): void {
    this.connection.resume();
  }

  signOut(): void {
    this.connection.signOut();
    this.#forget('');
  }

  retry(): void {
    this.connection.retryNow();
  }

  get<T>(path: string): ReturnType<typeof getJson<T>> {
    return getJson<T>(path, this.account?.token ?? null);
  }

  file(path: string): ReturnType<typeof getFile> {
    return getFile(path, this.account?.token ?? null);
  }

  /** Have the browser save a file of the server under a name; why not, for a person, or nothing. */
  async save(path: string, name: string): Promise<string> {
    const answer = await this.file(path);
    if (!answer.ok) return failureText(answer);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(answer.value);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    return '';
  }

  /** POST or DELETE with the session's token. */
  send<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): ReturnType<typeof ask<T>> {
    return ask<T>(method, path, this.account?.token ?? null, body);
  }

  /** Whether an alarm is raised on this page already. */
  get alarming(): boolean {
    return false;
  }

  /** Signed in, anew or again, locked or not; `same`: as the one before. */
  protected entered(_frame: SignedIn, _same: boolean): void {}
  /** Everything may come from here on: after signing in, or after unlocking. */
  protected opened(): void {}
  /** A frame that is about more than signing in. */
  protected take(_frame: ServerFrame): void {}
  /** Nobody is signed in any more. */
  protected left(): void {}
  /** Somebody is heard to talk. */
  protected spoken(_speech: Speech): void {}
  /** Nothing comes for a while: the connection is lost, or the page has locked. */
  protected lost(): void {}
  /** Newest sequence seen in each mailbox. */
  protected seen(): Record<string, number> {
    return {};
  }

  #enter(phase: Phase): void {
    const was = this.phase;
    this.phase = phase;
    if (phase === 'live') this.lostSince = null;
    const connected = was === 'live' || was === 'catching_up';
    if (phase === 'waiting' && connected) {
      this.lostSince ??= this.clock();
      this.lost();
    }
    if (phase === 'waiting' && !this.account) this.signInProblem = strings.signIn.waiting;
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
    if (frame.known) keepKnownPlace(this.#name, frame.known);
    keepSession({ token: frame.token, me: frame.me });
    if (!same || !this.own) this.own = new Account(() => this.account?.token ?? null);
    if (frame.limited) return;
    this.entered(frame, same);
    if (!this.locked) this.opened();
  }

  #active(): boolean {
    if (!this.account || this.locked || this.account.limited || !this.connection.live) {
      return false;
    }
    const told = this.#attention.touched();
    if (told) this.locksAt = null;
    return told;
  }

  #prove(proof: Proof): void {
    this.unlockProblem = '';
    this.#unlock = this.connection.next();
    this.unlocking = this.connection.send({ t: 'unlock', n: this.#unlock, proof });
    if (!this.unlocking) this.unlockProblem = strings.lock.noLine;
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
        this.lost();
        return;
      case 'unlocked':
        this.locked = this.unlocking = false;
        this.emergencyWaits = 0;
        this.opened();
        return;
      case 'emergency_waits':
        this.emergencyWaits += 1;
        return;
      case 'error':
        if (frame.n === this.#unlock && this.unlocking) {
          this.unlocking = false;
          this.unlockProblem = `${frame.text} ${frame.todo}`;
          return;
        }
        // What was under way when it locked is done again by itself.
        if (!frame.id && frame.code === 'locked') return;
    }
    this.take(frame);
  }

  #forget(text: string): void {
    forgetSession();
    forgetWay();
    this.account = null;
    this.own = null;
    this.secondStep = null;
    this.locked = this.unlocking = false;
    this.emergencyWaits = this.hushed = 0;
    this.locksAt = this.endsAt = null;
    this.resuming = false;
    this.lostSince = null;
    this.signInProblem = text;
    this.left();
  }
}
