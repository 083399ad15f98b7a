/**
 * Passkeys in the browser (W3C Web Authentication, Level 3): options in JSON in, an answer in JSON
 * out. A person who changes his mind is no error.
 */

import { strings } from '../strings';
import { ask, type Answer } from './http';

export type Used =
  { done: true; credential: unknown } | { done: false; why: 'cancelled' | 'failed' };

/** Whether this browser can do it here: it needs HTTPS, or localhost. */
export function canUsePasskeys(): boolean {
  return (
    isSecureContext &&
    'PublicKeyCredential' in globalThis &&
    'parseRequestOptionsFromJSON' in PublicKeyCredential
  );
}

/** Use a passkey that is there. */
export function usePasskey(options: unknown): Promise<Used> {
  return ceremony(() =>
    navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(
        options as PublicKeyCredentialRequestOptionsJSON,
      ),
    }),
  );
}

/** A new session, and the secret of a place that is known from now on. */
export interface ByPasskey {
  token: string;
  known: string;
}

/** A session for who uses a passkey here; `first` is name and password when it is a second factor. */
export async function sessionByPasskey(first: object): Promise<Answer<ByPasskey>> {
  const at = '/api/sign-in/passkey';
  const begun = await ask<{ publicKey: unknown }>('POST', `${at}/options`, null, first);
  if (!begun.ok) return begun;
  const used = await usePasskey(begun.value.publicKey);
  if (!used.done) return { ok: false, code: used.why, text: strings.passkey[used.why] };
  return ask<ByPasskey>('POST', at, null, { credential: used.credential });
}

/** Make a new one. */
export function makePasskey(options: unknown): Promise<Used> {
  return ceremony(() =>
    navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(
        options as PublicKeyCredentialCreationOptionsJSON,
      ),
    }),
  );
}

async function ceremony(run: () => Promise<Credential | null>): Promise<Used> {
  try {
    const credential = await run();
    if (!(credential instanceof PublicKeyCredential)) return { done: false, why: 'failed' };
    return { done: true, credential: credential.toJSON() as unknown };
  } catch (problem) {
    const cancelled = problem instanceof DOMException && problem.name === 'NotAllowedError';
    return { done: false, why: cancelled ? 'cancelled' : 'failed' };
  }
}
