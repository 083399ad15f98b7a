/**
 * What is shown of a warning that was pushed (`dispatch/warnings/push.py`), and what a touch on it
 * does. The worker hands in its scope; nothing else is touched here.
 */

/** What of a service worker's scope is used; TypeScript's DOM library does not have it. */
export interface Scope {
  registration: {
    scope: string;
    showNotification(title: string, options: Options): Promise<void>;
  };
  clients: {
    matchAll(of: { type: 'window'; includeUncontrolled: true }): Promise<readonly Window[]>;
    openWindow(url: string): Promise<unknown>;
  };
  addEventListener(kind: 'push' | 'notificationclick', listener: (event: Happening) => void): void;
}
export interface Window {
  url: string;
  focus(): Promise<unknown>;
}
export interface Happening {
  data?: { json(): unknown } | null;
  notification?: { close(): void };
  waitUntil(work: Promise<unknown>): void;
}
export interface Options {
  body: string;
  /** A later word of the same warning takes the place of what is shown. */
  tag: string;
  renotify: boolean;
  requireInteraction: boolean;
  silent: boolean;
  lang: string;
  icon: string;
}
export interface Notice {
  title: string;
  options: Options;
}

/** A browser wants something to be shown for whatever comes, and so do we: it may be a warning. */
const UNREADABLE: Notice = {
  title: 'NEMO',
  options: options('warning', 'A warning has come. Open the page to read it.', 'en-BZ', true),
};

function options(tag: string, body: string, lang: string, stays: boolean): Options {
  return {
    body,
    tag,
    renotify: true,
    requireInteraction: stays,
    silent: false,
    lang,
    icon: '/icon-192.png',
  };
}

/** What is shown of a message; one that is Actual stays until somebody touches it. */
export function noticeOf(said: unknown): Notice {
  if (typeof said !== 'object' || said === null) return UNREADABLE;
  const of = said as Record<string, unknown>;
  const { title, body, warning, language } = of;
  if (typeof title !== 'string' || typeof body !== 'string' || !title) return UNREADABLE;
  const tag = typeof warning === 'number' ? `warning-${warning}` : 'warning';
  const tongue = typeof language === 'string' ? language : 'en-BZ';
  const stays = of['status'] === 'Actual' && of['cancelled'] !== true;
  return { title, options: options(tag, body, tongue, stays) };
}

/** The page of a worker: its scope is `/push` and that page's path. */
export function pageOf(scope: string): string {
  return new URL(scope).pathname.replace(/^\/push/, '') || '/';
}

export function notify(scope: Scope): void {
  const page = pageOf(scope.registration.scope);
  scope.addEventListener('push', (event) => {
    const { title, options } = noticeOf(read(event));
    event.waitUntil(scope.registration.showNotification(title, options));
  });
  scope.addEventListener('notificationclick', (event) => {
    event.notification?.close();
    event.waitUntil(open(scope, page));
  });
}

function read(event: Happening): unknown {
  try {
    return event.data?.json();
  } catch {
    return undefined;
  }
}

/** The page is brought to the front where it is open already, and opened else. */
async function open(scope: Scope, page: string): Promise<void> {
  const windows = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const there = windows.find(({ url }) => new URL(url).pathname === page);
  await (there ? there.focus() : scope.clients.openWindow(page));
}
