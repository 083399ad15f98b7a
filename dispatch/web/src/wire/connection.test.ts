import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { decode, encode } from './codec';
import { Connection, type Events, type Socket } from './connection';
import type { Auth, ClientFrame, ServerFrame } from './frames';

class FakeSocket implements Socket {
  binaryType = '';
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  sent: ClientFrame[] = [];

  send(data: Uint8Array<ArrayBuffer>): void {
    this.sent.push(decode(data) as unknown as ClientFrame);
  }

  close(): void {
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  say(frame: ServerFrame): void {
    const { buffer } = encode(frame as unknown as ClientFrame);
    this.onmessage?.({ data: buffer });
  }

  drop(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code, reason: 'gone' });
  }
}

const sockets: FakeSocket[] = [];
const last = (): FakeSocket => sockets.at(-1) ?? new FakeSocket();
const log: string[] = [];
const events: Events = {
  phase: (phase) => log.push(phase),
  signedIn: () => log.push('signed in'),
  refused: (error) => log.push(`refused ${error.code}`),
  ended: (text) => log.push(`ended ${text}`),
  frame: (frame) => log.push(`frame ${frame.t}`),
  latency: (ms) => log.push(`latency ${ms}`),
};

function connection(heard: Events = events): Connection {
  return new Connection({
    url: 'ws://x/ws',
    client: 'test',
    events: heard,
    seen: () => ({ 'person:1': 41 }),
    random: () => 0,
    socket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
  });
}

function signIn(socket: FakeSocket): void {
  socket.open();
  const frame = socket.sent.find((sent) => sent.t === 'sign_in');
  if (frame?.t !== 'sign_in') throw new Error('no sign_in was sent');
  socket.say({
    t: 'signed_in',
    n: frame.n,
    token: 'abc',
    me: 'person:1',
    name: 'A',
    agency: 1,
    roles: [],
    boxes: {},
    time: 0,
    ends: 0,
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  sockets.length = log.length = 0;
});
afterEach(() => vi.useRealTimers());

test('hello and sign-in go out together, with what was seen', () => {
  connection().start({ kind: 'password', name: 'a', password: 'b' });
  last().open();
  expect(last().sent.map(({ t }) => t)).toEqual(['hello', 'sign_in']);
  expect(last().sent[1]).toMatchObject({ seen: { 'person:1': 41 } });
});

test('after a loss it comes back by itself, with the token instead of the password', () => {
  connection().start({ kind: 'password', name: 'a', password: 'b' });
  signIn(last());
  last().drop();
  expect(log.at(-1)).toBe('waiting');
  vi.advanceTimersByTime(300);
  expect(sockets).toHaveLength(2);
  last().open();
  expect(last().sent[1]).toMatchObject({ auth: { kind: 'session', token: 'abc' } });
});

test('25 seconds of silence are a loss', () => {
  connection().start({ kind: 'session', token: 't' });
  signIn(last());
  last().say({ t: 'caught_up' });
  vi.advanceTimersByTime(24_000);
  expect(log).not.toContain('waiting');
  vi.advanceTimersByTime(4_000);
  expect(log).toContain('waiting');
});

test('an answer keeps it alive, and its delay is told', () => {
  connection().start({ kind: 'session', token: 't' });
  signIn(last());
  for (let second = 0; second < 60; second++) {
    vi.advanceTimersByTime(1_000);
    const ping = last().sent.findLast(({ t }) => t === 'ping');
    if (ping?.t === 'ping') last().say({ t: 'pong', n: ping.n, time: Date.now() });
  }
  expect(sockets).toHaveLength(1);
  expect(log.some((line) => line.startsWith('latency'))).toBe(true);
});

test('a wrong password is told and not tried again', () => {
  connection().start({ kind: 'password', name: 'a', password: 'b' });
  last().open();
  const n = last().sent.find((sent) => sent.t === 'sign_in')?.n ?? 0;
  last().say({ t: 'error', n, code: 'bad_credentials', text: 'No.', todo: 'Try.' });
  vi.advanceTimersByTime(60_000);
  expect(log).toContain('refused bad_credentials');
  expect(sockets).toHaveLength(1);
});

test('a session that ended signs out instead of knocking for ever', () => {
  connection().start({ kind: 'session', token: 't' });
  signIn(last());
  last().drop(4403);
  vi.advanceTimersByTime(60_000);
  expect(log).toContain('ended gone');
  expect(sockets).toHaveLength(1);
});

test('a server that cannot check now is asked again when it says', () => {
  connection().start({ kind: 'password', name: 'a', password: 'b' });
  last().open();
  const n = last().sent.find((sent) => sent.t === 'sign_in')?.n ?? 0;
  last().say({ t: 'error', n, code: 'unavailable', text: '', todo: '', retry: 2_000 });
  vi.advanceTimersByTime(1_900);
  expect(sockets).toHaveLength(1);
  vi.advanceTimersByTime(200);
  expect(sockets).toHaveLength(2);
});

test('too many tries are told to the person and not tried again by itself', () => {
  connection().start({ kind: 'password', name: 'a', password: 'b' });
  last().open();
  const n = last().sent.find((sent) => sent.t === 'sign_in')?.n ?? 0;
  last().say({ t: 'error', n, code: 'too_many_tries', text: '', todo: '', retry: 2_000 });
  vi.advanceTimersByTime(60_000);
  expect(log).toContain('refused too_many_tries');
  expect(sockets).toHaveLength(1);
});

test('a connection that cannot be trusted is left, and another begun with what was seen', () => {
  const one = connection();
  one.start({ kind: 'password', name: 'a', password: 'b' });
  signIn(last());
  one.resume();
  expect(log.at(-1)).toBe('waiting');
  vi.advanceTimersByTime(300);
  last().open();
  expect(last().sent[1]).toMatchObject({ auth: { token: 'abc' }, seen: { 'person:1': 41 } });
});

const NONCE = Uint8Array.of(1, 2, 3);
const WELCOME: ServerFrame = { t: 'welcome', v: 1, server: 's', time: 0, nonce: NONCE };

/** A device signs each nonce it is given. */
function device(): { kind: 'signer'; sign(nonce: Uint8Array): Promise<Auth> } {
  return {
    kind: 'signer',
    sign: (nonce) => Promise.resolve({ kind: 'device', device: 9, signature: nonce }),
  };
}

async function signInDevice(): Promise<void> {
  last().open();
  last().say(WELCOME);
  await vi.advanceTimersByTimeAsync(0);
}

test('a device waits for the nonce, and signs it', async () => {
  connection().start(device());
  last().open();
  expect(last().sent.map(({ t }) => t)).toEqual(['hello']);
  last().say(WELCOME);
  await vi.advanceTimersByTimeAsync(0);
  expect(last().sent[1]).toMatchObject({
    t: 'sign_in',
    auth: { kind: 'device', device: 9, signature: NONCE },
    seen: { 'person:1': 41 },
  });
});

test('a device whose token is over signs anew, and nobody is asked', async () => {
  connection().start(device());
  await signInDevice();
  signIn(last());
  last().drop();
  await vi.advanceTimersByTimeAsync(300);
  last().open();
  const sent = last().sent.at(-1);
  expect(sent).toMatchObject({ auth: { kind: 'session' } });
  const n = sent && 'n' in sent ? sent.n : 0;
  last().say({ t: 'error', code: 'session_ended', text: 'Over.', todo: '', n });
  await signInDevice();
  expect(last().sent.at(-1)).toMatchObject({ auth: { kind: 'device' } });
  signIn(last());
  last().drop(4403);
  await vi.advanceTimersByTimeAsync(300);
  await signInDevice();
  expect(last().sent.at(-1)).toMatchObject({ auth: { kind: 'device' } });
  expect(log.filter((line) => line.startsWith('ended'))).toEqual([]);
});

test('a device that is not known any more is told so, and stops', async () => {
  connection().start(device());
  await signInDevice();
  const sent = last().sent.at(-1);
  const n = sent && 'n' in sent ? sent.n : 0;
  last().say({ t: 'error', code: 'wrong_credentials', text: 'No.', todo: '', n });
  expect(log.slice(-2)).toEqual(['off', 'refused wrong_credentials']);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sockets).toHaveLength(1);
});

test('a signature for a connection that is gone is not sent on the next', async () => {
  let signed: (auth: Auth) => void = () => undefined;
  const slow = new Promise<Auth>((resolve) => (signed = resolve));
  connection().start({ kind: 'signer', sign: () => slow });
  last().open();
  last().say(WELCOME);
  last().drop();
  await vi.advanceTimersByTimeAsync(300);
  last().open();
  signed({ kind: 'device', device: 9, signature: NONCE });
  await vi.advanceTimersByTimeAsync(0);
  expect(last().sent.map(({ t }) => t)).toEqual(['hello']);
});

test('an answered ping tells that what went before has arrived', () => {
  const reached: number[] = [];
  const one = connection({ ...events, reached: (sent) => reached.push(sent) });
  one.start({ kind: 'session', token: 't' });
  signIn(last());
  const ping = last().sent.findLast((sent) => sent.t === 'ping');
  expect(reached).toEqual([]);
  last().say({ t: 'pong', n: ping?.n ?? 0, time: 5 });
  expect(reached).toEqual([Date.now()]);
});
