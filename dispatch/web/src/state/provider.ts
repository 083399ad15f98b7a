/**
 * Signing in at one's agency's own provider. The browser leaves for it and comes back at
 * `/sign-in/AGENCY`; a secret that stays in this tab binds the return to the departure.
 *
 * Where the page must not be left, since things are typed into it, a window of its own goes there,
 * and hands the proof over to the one that asked.
 */

import { ask, getJson, type Answer } from './http';
import { keepKnownPlace, knownPlace } from './known';
import { usePasskey } from './passkey';
import { strings } from '../strings';
import type { FactorKind } from '../wire/frames';

export interface AgencyProvider {
  agency: string;
  /** What its sign-in is called. */
  name: string;
}

/** What is kept in this tab while it is at the provider. */
export interface Left extends AgencyProvider {
  state: string;
  secret: string;
  /** Where it goes once somebody is signed in. */
  back: string;
  /** Or the mark of another window, which waits for a proof. */
  proof: string | null;
  /** Whoever is signed in here already is to be linked with who he is there. */
  link: boolean;
}

interface Departed {
  address: string;
  state: string;
  secret: string;
}

/** A session; or, with `step`, which second factors are asked for. */
export interface Opened {
  token: string | null;
  known: string | null;
  name: string | null;
  step: string | null;
  kinds: FactorKind[] | null;
}

const AT = '/api/sign-in/provider';
const MINE = '/api/me/identities';
const LEFT = 'psn:left';
const WAY = 'psn:way';
const LAST = 'psn:last-at';

/** Where people can sign in other than by a password; none when nobody answers. */
export async function providers(): Promise<AgencyProvider[]> {
  const answer = await getJson<{ providers: AgencyProvider[] }>('/api/sign-in/providers', null);
  return answer.ok ? answer.value.providers : [];
}

/** Leave for a provider; returns only when that is not possible, and says why. */
export async function leave(
  { agency, name }: AgencyProvider,
  back: string,
  proof: string | null = null,
): Promise<string> {
  const body = { agency, ...placeAt(agency) };
  const answer = await ask<Departed>('POST', `${AT}/begin`, null, body);
  if (!answer.ok) return answer.text || strings.account.unreachable;
  depart(answer.value, { agency, name, back, proof, link: false });
  return '';
}

/** Leave for one's agency's provider to be linked with it; returns only when that fails. */
export async function leaveToLink(
  { agency, name }: AgencyProvider,
  back: string,
  token: string | null,
): Promise<Answer<unknown>> {
  const answer = await ask<Departed>('POST', `${MINE}/begin`, token);
  if (answer.ok) depart(answer.value, { agency, name, back, proof: null, link: true });
  return answer;
}

function depart({ address, ...kept }: Departed, left: Omit<Left, 'state' | 'secret'>): void {
  put(sessionStorage, LEFT, { ...left, ...kept } satisfies Left);
  location.assign(address);
}

/** What was kept when this tab left, which is needed once. */
export function takeLeft(): Left | null {
  const left = got<Left>(sessionStorage, LEFT);
  sessionStorage.removeItem(LEFT);
  return left;
}

/** Sign in with what was brought back. */
export function finish(left: Left, agency: string, brought: object): Promise<Answer<Opened>> {
  const { secret } = left;
  const body = { ...brought, agency, secret, ...placeAt(left.agency) };
  return ask<Opened>('POST', `${AT}/finish`, null, body);
}

/** Be linked with what was brought back. */
export function finishLink(
  left: Left,
  agency: string,
  brought: object,
  token: string | null,
): Promise<Answer<unknown>> {
  return ask('POST', MINE, token, { ...brought, agency, secret: left.secret });
}

/** Go on with a code. */
export function second(step: string, secret: string, code: string): Promise<Answer<Opened>> {
  return ask<Opened>('POST', `${AT}/second`, null, { step, secret, code });
}

/** Go on with a passkey. */
export async function secondByPasskey(
  step: string,
  secret: string,
): Promise<Answer<Pick<Opened, 'token' | 'known'>>> {
  const begun = await ask<{ publicKey: unknown }>('POST', `${AT}/passkey`, null, { step, secret });
  if (!begun.ok) return begun;
  const used = await usePasskey(begun.value.publicKey);
  if (!used.done) return { ok: false, code: used.why, text: strings.passkey[used.why] };
  return ask('POST', '/api/sign-in/passkey', null, { credential: used.credential });
}

/** This tab was signed in so, and this browser is no stranger with it from now on. */
export function keepWay({ agency, name }: AgencyProvider, opened: Partial<Opened>): void {
  put(sessionStorage, WAY, { agency, name });
  if (!opened.name || !opened.known) return;
  keepKnownPlace(opened.name, opened.known);
  put(localStorage, LAST, {
    ...got<Record<string, string>>(localStorage, LAST),
    [agency]: opened.name,
  });
}

/** By which provider this tab was signed in; none: otherwise. */
export function way(): AgencyProvider | null {
  return got<AgencyProvider>(sessionStorage, WAY);
}

export function forgetWay(): void {
  sessionStorage.removeItem(WAY);
}

let waiting: BroadcastChannel | null = null;

/** A session begun at the provider just now, by a window of its own: a proof of who sits here. */
export function proofAt({ agency }: AgencyProvider): Promise<string> {
  const mark = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  waiting?.close();
  const channel = (waiting = new BroadcastChannel(`psn:proof:${mark}`));
  open(`/sign-in/${agency.toLowerCase()}#prove-${mark}`, '_blank', 'popup,width=520,height=680');
  return new Promise((settle) => {
    channel.onmessage = ({ data }) => {
      channel.close();
      settle(String(data));
    };
  });
}

/** Hand a proof over to the window that waits for it. */
export function handOver(mark: string, token: string): void {
  const channel = new BroadcastChannel(`psn:proof:${mark}`);
  channel.postMessage(token);
  channel.close();
}

function placeAt(agency: string): { name?: string; known?: string } {
  const name = got<Record<string, string>>(localStorage, LAST)?.[agency];
  const known = name === undefined ? undefined : knownPlace(name);
  return name === undefined || known === undefined ? {} : { name, known };
}

function put(where: Storage, key: string, value: unknown): void {
  try {
    where.setItem(key, JSON.stringify(value));
  } catch {
    // Without storage nobody comes back signed in, and is told to begin again.
  }
}

function got<T>(where: Storage, key: string): T | null {
  try {
    return JSON.parse(where.getItem(key) ?? 'null') as T | null;
  } catch {
    return null;
  }
}
