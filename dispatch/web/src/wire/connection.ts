import { backoff } from './backoff';
import { ServerClock } from './clock';
import { decode, encode } from './codec';
import { decodeSpeech, isSpeech, type Speech } from './speech';
import {
  CLOSE,
  SUBPROTOCOL,
  VERSION,
  type Auth,
  type ClientFrame,
  type ServerFrame,
  type SignedIn,
  type Signer,
  type WireError,
} from './frames';

const PING_EVERY = 10_000;
const SILENCE = 25_000;
/** The first seconds measure how busy the page is with starting, not the connection. */
const SETTLED = 5_000;
const SIGN_IN_WITHIN = 15_000;

/** The part of a WebSocket that is used, so that tests can hand in their own. */
export interface Socket {
  binaryType: string;
  readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

export type Phase = 'off' | 'connecting' | 'signing_in' | 'catching_up' | 'live' | 'waiting';

export interface Events {
  phase(phase: Phase): void;
  signedIn(frame: SignedIn): void;
  refused(error: WireError): void;
  /** The session is over: the token no longer counts. */
  ended(text: string): void;
  frame(frame: ServerFrame): void;
  latency(milliseconds: number): void;
  /** Somebody is heard. */
  speech?(speech: Speech): void;
  /** Everything that was sent before this moment (local clock) has reached the server. */
  reached?(sent: number): void;
}

export interface Options {
  url: string;
  client: string;
  events: Events;
  /** Newest sequence seen in each mailbox, asked anew at every sign-in. */
  seen(): Record<string, number>;
  socket?: (url: string) => Socket;
  random?: () => number;
}

/**
 * One connection that stays: signs in, resumes after a loss with what was seen, measures the
 * server's clock, and notices silence. What is sent while it is away is lost, on purpose: messages
 * wait in the outbox, and everything else is asked again.
 */
export class Connection {
  readonly clock = new ServerClock();
  phase: Phase = 'off';
  #options: Options;
  #socket: Socket | null = null;
  #auth: Auth | Signer | null = null;
  /** A device has no password to ask for: when its token is over, it signs anew. */
  #signer: Signer | null = null;
  #number = 1;
  #attempt = 0;
  #signInNumber = 0;
  #pings = new Map<number, number>();
  #lastFrame = 0;
  #lastPing = 0;
  #signedInAt = 0;
  #timers: { beat?: number; retry?: number; signIn?: number } = {};

  constructor(options: Options) {
    this.#options = options;
  }

  /** Sign in now, dropping whatever was. */
  start(auth: Auth | Signer): void {
    this.#stop();
    this.#auth = auth;
    this.#signer = auth.kind === 'signer' ? auth : null;
    this.#attempt = 0;
    this.#open();
  }

  /** End the session at the server, and rest. */
  signOut(): void {
    this.send({ t: 'sign_out', n: this.next() });
    this.#auth = null;
    this.#stop();
    this.#enter('off');
  }

  /** Close with a code of one's own, and rest: what the code says is over. */
  leave(code: number): void {
    this.#auth = this.#signer = null;
    this.#stop(code);
    this.#enter('off');
  }

  /** Try at once instead of at the end of the wait (the network came back, a key was pressed). */
  retryNow(): void {
    if (this.phase !== 'waiting') return;
    clearTimeout(this.#timers.retry);
    this.#open();
  }

  /** Leave this connection and come back: something is missing on it. */
  resume(): void {
    if (this.live) this.#lost(0, '');
  }

  /** A request number not used before on this connection. */
  next(): number {
    this.#number = (this.#number % 4_000_000_000) + 1;
    return this.#number;
  }

  /** Send a frame; false when there is no open socket. */
  send(frame: ClientFrame): boolean {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(encode(frame));
    return true;
  }

  /** Send a frame of speech; false when there is no open socket. */
  sendSpeech(frame: Uint8Array<ArrayBuffer>): boolean {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(frame);
    return true;
  }

  get live(): boolean {
    return this.phase === 'live' || this.phase === 'catching_up';
  }

  #open(): void {
    this.#stop();
    this.#enter('connecting');
    const make = this.#options.socket ?? browserSocket;
    const socket = make(this.#options.url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#lastFrame = Date.now();
    socket.onopen = () => this.#greet();
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#receive(event.data);
    };
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#lost(event.code, event.reason);
    };
    this.#timers.beat = setInterval(() => this.#beat(), 2_500) as unknown as number;
    this.#timers.signIn = setTimeout(() => {
      if (!this.live) this.#lost(0, '');
    }, SIGN_IN_WITHIN) as unknown as number;
  }

  #greet(): void {
    if (!this.#auth) return;
    this.#enter('signing_in');
    this.send({ t: 'hello', v: VERSION, client: this.#options.client });
    if (this.#auth.kind !== 'signer') this.#signIn(this.#auth);
  }

  #signIn(auth: Auth): void {
    this.#signInNumber = this.next();
    const seen = this.#options.seen();
    this.send({ t: 'sign_in', n: this.#signInNumber, auth, seen });
  }

  /** The nonce came: what signs does so, and the answer goes out on the same connection. */
  #welcomed(nonce: Uint8Array): void {
    if (this.#auth?.kind !== 'signer') return;
    const socket = this.#socket;
    this.#auth.sign(nonce).then(
      (auth) => {
        if (socket === this.#socket) this.#signIn(auth);
      },
      () => {
        if (socket === this.#socket) this.#lost(0, '');
      },
    );
  }

  #receive(data: unknown): void {
    this.#lastFrame = Date.now();
    if (data instanceof ArrayBuffer && isSpeech(data)) {
      const speech = decodeSpeech(data);
      if (speech) this.#options.events.speech?.(speech);
      return;
    }
    const frame = data instanceof ArrayBuffer ? decode(data) : null;
    if (!frame) return;
    switch (frame.t) {
      case 'signed_in':
        this.#attempt = 0;
        this.#auth = { kind: 'session', token: frame.token };
        this.#signedInAt = Date.now();
        if (!this.clock.known) this.clock.believe(frame.time - this.#signedInAt);
        this.#enter('catching_up');
        this.#options.events.signedIn(frame);
        this.#ping();
        return;
      case 'caught_up':
        this.#enter('live');
        break;
      case 'pong':
        this.#pong(frame.n, frame.time);
        return;
      case 'error':
        if (frame.n === this.#signInNumber && this.phase === 'signing_in') {
          this.#refused(frame);
          return;
        }
        break;
      case 'welcome':
        this.#welcomed(frame.nonce);
        return;
    }
    this.#options.events.frame(frame);
  }

  #refused(error: WireError): void {
    // A person who is to wait reads so; everything else is for this to try again.
    if (error.retry && error.code !== 'too_many_tries') {
      this.#lost(CLOSE.goingDown, '', error.retry);
      return;
    }
    const resumed = this.#auth?.kind === 'session';
    if (resumed && this.#signer) {
      this.#auth = this.#signer;
      this.#open();
      return;
    }
    this.#auth = null;
    this.#stop();
    this.#enter('off');
    if (resumed) this.#options.events.ended(`${error.text} ${error.todo}`);
    else this.#options.events.refused(error);
  }

  #lost(code: number, reason: string, atLeast = 0): void {
    this.#stop();
    if (this.#auth?.kind === 'session' && this.#signer && code === CLOSE.sessionEnded) {
      this.#auth = this.#signer;
      code = 0;
    }
    const over = code === CLOSE.sessionEnded || code === CLOSE.notSignedIn;
    if (!this.#auth || over || code === CLOSE.version) {
      this.#auth = null;
      this.#enter('off');
      this.#options.events.ended(reason);
      return;
    }
    const wait = Math.max(atLeast, backoff(this.#attempt, (this.#options.random ?? Math.random)()));
    this.#attempt += 1;
    this.#enter('waiting');
    this.#timers.retry = setTimeout(() => this.#open(), wait) as unknown as number;
  }

  #beat(): void {
    const now = Date.now();
    if (now - this.#lastFrame > SILENCE) {
      this.#lost(0, '');
      return;
    }
    if (!this.live) return;
    const oldest = this.#pings.values().next().value;
    if (oldest !== undefined && now - oldest > 2_000 && now - this.#signedInAt > SETTLED) {
      this.#options.events.latency(now - oldest);
    }
    if (now - this.#lastPing >= PING_EVERY) this.#ping();
  }

  #ping(): void {
    this.#lastPing = Date.now();
    const n = this.next();
    if (this.send({ t: 'ping', n })) this.#pings.set(n, this.#lastPing);
  }

  #pong(n: number, time: number): void {
    const sent = this.#pings.get(n);
    if (sent === undefined) return;
    this.#pings.delete(n);
    this.clock.add(sent, Date.now(), time);
    this.#options.events.reached?.(sent);
    if (sent - this.#signedInAt > SETTLED) this.#options.events.latency(this.clock.latency ?? 0);
  }

  #stop(code = 1000): void {
    clearInterval(this.#timers.beat);
    clearTimeout(this.#timers.retry);
    clearTimeout(this.#timers.signIn);
    this.#timers = {};
    this.#pings.clear();
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (socket.readyState <= 1) socket.close(code);
  }

  #enter(phase: Phase): void {
    if (phase === this.phase) return;
    this.phase = phase;
    this.#options.events.phase(phase);
  }
}

function browserSocket(url: string): Socket {
  return new WebSocket(url, [SUBPROTOCOL]) as unknown as Socket;
}
