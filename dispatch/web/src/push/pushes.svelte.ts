/** Whether this browser is pushed to, and how that is changed (`dispatch/warnings/subscribing.py`). */

import type { Answer } from '../state/http';

const ADDRESS = '/api/warnings/push';
const WORKER = '/push-worker.js';

export type Standing = 'looking' | 'impossible' | 'blocked' | 'off' | 'on';
type Ask = <T>(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
) => Promise<Answer<T>>;

export class Pushes {
  standing = $state<Standing>('looking');
  busy = $state(false);
  /** Why it was not changed, in words; `failed` when nobody has said. */
  problem = $state('');
  #page: '/' | '/field';
  #ask: Ask;

  constructor(page: '/' | '/field', ask: Ask) {
    this.#page = page;
    this.#ask = ask;
  }

  /** Look how it is. Who is signed in by now is told from now on, and nobody else here. */
  async look(language: 'en' | 'es'): Promise<void> {
    if (!able()) {
      this.standing = 'impossible';
      return;
    }
    const subscription = await (await this.#registered())?.pushManager.getSubscription();
    this.standing = subscription ? 'on' : Notification.permission === 'denied' ? 'blocked' : 'off';
    if (subscription) await this.#tell(subscription, language);
  }

  /** To be called from a touch or a click: the browser may ask whether it is wanted. */
  async turn(on: boolean, language: 'en' | 'es'): Promise<void> {
    if (this.busy || !able()) return;
    this.busy = true;
    this.problem = '';
    try {
      await (on ? this.#begin(language) : this.#end());
    } catch (problem) {
      // The browser's own word for it: no push service, no network.
      this.problem = problem instanceof Error ? problem.message : String(problem);
    }
    this.busy = false;
  }

  async #begin(language: 'en' | 'es'): Promise<void> {
    if ((await Notification.requestPermission()) !== 'granted') {
      this.standing = Notification.permission === 'denied' ? 'blocked' : 'off';
      return;
    }
    const key = await this.#ask<{ key: string }>('GET', ADDRESS);
    if (!key.ok) {
      this.problem = key.text || 'failed';
      return;
    }
    const registration = await navigator.serviceWorker.register(WORKER, { scope: this.#scope });
    await active(registration);
    const subscription = await registration.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: key.value.key,
    });
    if (await this.#tell(subscription, language)) this.standing = 'on';
    else await subscription.unsubscribe();
  }

  async #end(): Promise<void> {
    const registration = await this.#registered();
    const subscription = await registration?.pushManager.getSubscription();
    if (subscription) {
      // What the server is not told, the push service tells it with the next warning.
      await this.#ask('DELETE', ADDRESS, { endpoint: subscription.endpoint });
      await subscription.unsubscribe();
    }
    this.standing = 'off';
  }

  async #tell(subscription: PushSubscription, language: 'en' | 'es'): Promise<boolean> {
    const { endpoint, keys } = subscription.toJSON();
    const answer = await this.#ask('POST', ADDRESS, {
      endpoint,
      p256dh: keys?.['p256dh'],
      auth: keys?.['auth'],
      language: language === 'es' ? 'es-BZ' : 'en-BZ',
    });
    if (!answer.ok) this.problem = answer.text || 'failed';
    return answer.ok;
  }

  get #scope(): string {
    return `/push${this.#page}`;
  }

  #registered(): Promise<ServiceWorkerRegistration | undefined> {
    return navigator.serviceWorker.getRegistration(this.#scope);
  }
}

/** Whether this browser can be pushed to: over https, with a worker of built pages. */
function able(): boolean {
  return (
    import.meta.env.PROD &&
    isSecureContext &&
    'serviceWorker' in navigator &&
    'PushManager' in globalThis &&
    'Notification' in globalThis
  );
}

/** A subscription wants a worker that is active. */
async function active(registration: ServiceWorkerRegistration): Promise<void> {
  const coming = registration.installing ?? registration.waiting;
  if (registration.active || !coming) return;
  await new Promise<void>((done) => {
    coming.addEventListener('statechange', () => {
      if (coming.state === 'activated' || coming.state === 'redundant') done();
    });
  });
}
