import { strings } from '../strings';
import { ask, type Answer } from './http';
import { makePasskey, sessionByPasskey } from './passkey';
import { leaveToLink, proofAt, type AgencyProvider } from './provider';

export interface Factor {
  id: number;
  kind: 'totp' | 'passkey';
  label: string;
  created: number;
  last_used: number | null;
}

export interface Factors {
  factors: Factor[];
  recovery_left: number;
  few_left: boolean;
  required: boolean;
  /** Somebody else made the password, and another has to be chosen now. */
  first_password: boolean;
  /** Whether passkeys can be used at this address. */
  passkeys: boolean;
}

export interface OwnSession {
  id: string;
  began: number;
  active: number;
  ends: number;
  source: string | null;
  connected: boolean;
  current: boolean;
}

export interface NewAuthenticator {
  qr: string;
  address: string;
  secret: string;
}

/** Who one is at one's agency's provider, and the one to link with, if there is one. */
export interface Identities {
  identities: { id: number; provider: string; subject: string; since: number }[];
  agency: string | null;
  provider: string | null;
}

export type Part = 'factors' | 'password' | 'identities' | 'sessions';

interface Codes {
  recovery_codes: string[] | null;
}

const FACTORS = '/api/me/second-factors';
const IDENTITIES = '/api/me/identities';

/**
 * One's own account, over HTTP. What changes how people sign in may need a proof first:
 * `proofNeeded` is then set, and what was asked for is done once `prove` has succeeded.
 */
export class Account {
  factors = $state.raw<Factors | null>(null);
  sessions = $state.raw<OwnSession[] | null>(null);
  identities = $state.raw<Identities | null>(null);
  /** New codes, to be shown once. */
  codes = $state.raw<string[] | null>(null);
  problem = $state('');
  /** What part of the account the problem is of. */
  part = $state<Part>('factors');
  busy = $state(false);
  proofNeeded = $state(false);
  proving = $state(false);
  #token: () => string | null;
  /** Why the proof was not taken. */
  proofProblem = $state('');
  #settle: ((given: boolean) => void) | null = null;

  constructor(token: () => string | null) {
    this.#token = token;
  }

  async load(): Promise<void> {
    const factors = await this.#ask<Factors>('GET', FACTORS);
    if (factors.ok) this.factors = factors.value;
    else this.problem = factors.text;
  }

  async loadSessions(): Promise<void> {
    const answer = await this.#ask<{ sessions: OwnSession[] }>('GET', '/api/me/sessions');
    if (answer.ok) this.sessions = answer.value.sessions;
    else this.problem = answer.text;
  }

  /** A QR code for a new authenticator app. */
  beginTotp(then: (begun: NewAuthenticator) => void): Promise<void> {
    return this.#do(async () => {
      const begun = await this.#ask<NewAuthenticator>('POST', `${FACTORS}/totp`);
      if (begun.ok) then(begun.value);
      return begun;
    });
  }

  confirmTotp(code: string, label: string, then: () => void): Promise<void> {
    return this.#do(() => this.#enrol(`${FACTORS}/totp/confirm`, { code, label }, then));
  }

  addPasskey(label: string, then: () => void): Promise<void> {
    return this.#do(async () => {
      const at = `${FACTORS}/passkey`;
      const begun = await this.#ask<{ publicKey: unknown }>('POST', `${at}/options`);
      if (!begun.ok) return begun;
      const made = await makePasskey(begun.value.publicKey);
      if (!made.done) return { ok: false, code: made.why, text: strings.passkey[made.why] };
      return this.#enrol(at, { credential: made.credential, label }, then);
    });
  }

  rename(id: number, label: string): Promise<void> {
    return this.#do(async () => {
      const done = await this.#ask('POST', `${FACTORS}/${id}/label`, { label });
      await this.load();
      return done;
    });
  }

  remove(id: number): Promise<void> {
    return this.#do(async () => {
      const done = await this.#ask('DELETE', `${FACTORS}/${id}`);
      await this.load();
      return done;
    });
  }

  newCodes(): Promise<void> {
    return this.#do(async () => {
      const answer = await this.#ask<Codes>('POST', '/api/me/recovery-codes');
      if (answer.ok) this.codes = answer.value.recovery_codes;
      await this.load();
      return answer;
    });
  }

  changePassword(old: string, fresh: string, then: (ended: number) => void): Promise<void> {
    return this.#do(async () => {
      const body = { old, new: fresh };
      const answer = await this.#ask<{ ended: number }>('POST', '/api/me/password', body);
      if (answer.ok) then(answer.value.ended);
      return answer;
    }, 'password');
  }

  async loadIdentities(): Promise<void> {
    const answer = await this.#ask<Identities>('GET', IDENTITIES);
    if (answer.ok) this.identities = answer.value;
  }

  /** Leave for one's agency's provider, to be linked with it. */
  link(provider: AgencyProvider): Promise<void> {
    const work = () => leaveToLink(provider, location.pathname, this.#token());
    return this.#do(work, 'identities');
  }

  unlink(id: number): Promise<void> {
    return this.#do(async () => {
      const done = await this.#ask('DELETE', `${IDENTITIES}/${id}`);
      await this.loadIdentities();
      return done;
    }, 'identities');
  }

  endSession(id: string): Promise<void> {
    return this.#do(async () => {
      const done = await this.#ask('DELETE', `/api/me/sessions/${id}`);
      await this.loadSessions();
      return done;
    }, 'sessions');
  }

  signOutEverywhere(): Promise<void> {
    return this.#do(() => this.#ask('POST', '/api/me/sign-out-everywhere'), 'sessions');
  }

  /** Ask for something; where that takes a proof first, it is done once the proof is given. */
  async proven<T>(work: () => Promise<Answer<T>>): Promise<Answer<T>> {
    const answer = await work();
    if (answer.ok || answer.code !== 'proof_needed') return answer;
    this.proofProblem = '';
    const given = await new Promise<boolean>((settle) => {
      this.#settle?.(false);
      this.#settle = settle;
      this.proofNeeded = true;
    });
    return given ? this.proven(work) : { ok: false, code: 'withdrawn', text: strings.proof.left };
  }

  /** Prove by the password who sits here. */
  prove(password: string): Promise<void> {
    return this.#prove({ password });
  }

  async proveByPasskey(): Promise<void> {
    this.proofProblem = '';
    const answer = await sessionByPasskey({});
    if (answer.ok) await this.#prove({ token: answer.value.token });
    else this.proofProblem = answer.text;
  }

  /** Prove it at one's agency's provider, in a window of its own. */
  async proveAt(provider: AgencyProvider): Promise<void> {
    this.proofProblem = '';
    await this.#prove({ token: await proofAt(provider) });
  }

  /** Leave it, after all. */
  withdraw(): void {
    this.#given(false);
  }

  async #prove(proof: { password: string } | { token: string }): Promise<void> {
    this.proofProblem = '';
    this.proving = true;
    const answer = await this.#ask('POST', '/api/me/proof', proof);
    this.proving = false;
    if (answer.ok) this.#given(true);
    else this.proofProblem = answer.text || strings.account.unreachable;
  }

  #given(given: boolean): void {
    this.proofNeeded = false;
    const settle = this.#settle;
    this.#settle = null;
    settle?.(given);
  }

  async #enrol(path: string, body: unknown, then: () => void): Promise<Answer<Codes>> {
    const answer = await this.#ask<Codes>('POST', path, body);
    if (answer.ok) {
      this.codes = answer.value.recovery_codes;
      then();
      await this.load();
    }
    return answer;
  }

  async #do(work: () => Promise<Answer<unknown>>, part: Part = 'factors'): Promise<void> {
    this.problem = '';
    this.part = part;
    this.busy = true;
    const answer = await this.proven(work);
    this.busy = false;
    if (!answer.ok && answer.code !== 'withdrawn') {
      this.problem = answer.text || strings.account.unreachable;
    }
  }

  #ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<Answer<T>> {
    return ask<T>(method, path, this.#token(), body);
  }
}
