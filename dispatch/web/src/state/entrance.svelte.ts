import { strings } from '../strings';
import { Connection, type Phase } from '../wire/connection';
import type { Address, ServerFrame, SignedIn } from '../wire/frames';
import { ask, getJson } from './http';

const TOKEN = 'psn:session';

/** Signing in and staying so: what every page has that somebody signs in to. */
export class Entrance {
  phase = $state<Phase>('off');
  account = $state.raw<SignedIn | null>(null);
  /** Why signing in failed, or why it is needed again. */
  signInProblem = $state('');
  /** Server's time when the connection was lost. */
  lostSince = $state<number | null>(null);
  latency = $state(0);
  /** Server's time, every second. */
  now = $state(Date.now());
  /** A session of before the reload is being taken up. */
  resuming = $state(false);
  protected readonly connection: Connection;

  constructor(client: string) {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this.connection = new Connection({
      url: `${scheme}://${location.host}/ws`,
      client,
      seen: () => this.seen(),
      events: {
        phase: (phase) => this.#enter(phase),
        signedIn: (frame) => this.#signedIn(frame),
        refused: (error) => (this.signInProblem = `${error.text} ${error.todo}`),
        ended: (text) => this.#forget(text || strings.signIn.ended),
        frame: (frame) => this.take(frame),
        latency: (milliseconds) => (this.latency = milliseconds),
      },
    });
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

  signIn(name: string, password: string): void {
    this.signInProblem = '';
    this.connection.start({ kind: 'password', name, password });
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

  /** POST or DELETE with the session's token. */
  send<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): ReturnType<typeof ask<T>> {
    return ask<T>(method, path, this.account?.token ?? null, body);
  }

  /** Signed in, anew or again; `same`: as the one before. */
  protected entered(_frame: SignedIn, _same: boolean): void {}
  /** A frame that is about more than signing in. */
  protected take(_frame: ServerFrame): void {}
  /** Nobody is signed in any more. */
  protected left(): void {}
  /** Newest sequence seen in each mailbox. */
  protected seen(): Record<string, number> {
    return {};
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
    keepSession({ token: frame.token, me: frame.me });
    this.entered(frame, same);
  }

  #forget(text: string): void {
    forgetSession();
    this.account = null;
    this.resuming = false;
    this.lostSince = null;
    this.signInProblem = text;
    this.left();
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

/** The session of this tab before a reload, if there was one. */
export function keptSession(): Kept | null {
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
