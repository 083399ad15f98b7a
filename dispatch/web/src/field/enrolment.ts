import { ask } from '../state/http';
import { base64, enrolmentContent, newKeys, publicKey, sign } from './deviceKey';
import type { Enrolled, Vault } from './vault';

export type Joined =
  | { ok: true }
  /** `text` is the server's sentence; empty when it did not answer. */
  | { ok: false; text: string };

/**
 * Spend a code. The keys are kept before it is sent, and used again when the answer was lost: the
 * server then gives the same device.
 */
export async function enrol(code: string, vault: Vault): Promise<Joined> {
  const keys = vault.device?.keys ?? (await newKeys());
  if (!vault.device) await vault.keepDevice({ keys, enrolled: null });
  const key = await publicKey(keys);
  const proof = await sign(keys, enrolmentContent(code, key));
  const body = { code, public_key: base64(key), proof: base64(proof) };
  const answer = await ask<Enrolled & { unit?: number }>('POST', '/api/enrol', null, body);
  if (!answer.ok) return { ok: false, text: answer.text };
  const { device, unit, agency, label } = answer.value;
  if (unit === undefined) return { ok: false, text: 'gateway' };
  await vault.keepDevice({ keys, enrolled: { device, unit, agency, label } });
  // Asked for so that a full disk does not cost what waits to be sent.
  await navigator.storage?.persist?.();
  return { ok: true };
}
