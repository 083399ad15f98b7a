import type { Vault } from './vault';

/**
 * Erase everything that this browser keeps for the tablet: keys, mail, what waits, the pages. What
 * comes first is what matters most, should the browser be stopped half way.
 */
export async function wipe(vault: Vault): Promise<void> {
  await vault.wipe();
  localStorage.clear();
  sessionStorage.clear();
  if ('caches' in globalThis) {
    for (const name of await caches.keys()) await caches.delete(name);
  }
  for (const worker of (await navigator.serviceWorker?.getRegistrations()) ?? []) {
    await worker.unregister();
  }
}
