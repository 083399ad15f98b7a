/**
 * The tablet's service worker: its pages, the map of the country and its lettering are kept when
 * the page is first opened, so that it opens in a dead spot. Everything else (the wire, the
 * interface) passes by here. The list of files is put in by the build (`offline` in
 * vite.config.ts), so that a new build is a new worker.
 */

/** The part of the worker's scope that is used; TypeScript's DOM library does not have it. */
interface Scope {
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  location: { origin: string };
  addEventListener(
    kind: 'install' | 'activate' | 'fetch' | 'message',
    listener: (event: Happening) => void,
  ): void;
}
interface Happening {
  request: Request;
  data: unknown;
  waitUntil(work: Promise<unknown>): void;
  respondWith(answer: Promise<Response>): void;
}

declare const PSN_FIELD_FILES: readonly string[];
declare const PSN_FIELD_BUILD: string;

const scope = globalThis as unknown as Scope;
const PAGE = '/field';
const OURS = 'psn-field-';
const NAME = OURS + PSN_FIELD_BUILD;
const KEPT = new Set(PSN_FIELD_FILES);

scope.addEventListener('install', (event) => {
  event.waitUntil(
    caches.open(NAME).then((cache) => {
      const fresh = PSN_FIELD_FILES.map((path) => new Request(path, { cache: 'reload' }));
      return cache.addAll(fresh);
    }),
  );
});

scope.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith(OURS) && name !== NAME))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => scope.clients.claim()),
  );
});

/** The person at the tablet has chosen the moment for the new version. */
scope.addEventListener('message', (event) => {
  if (event.data === 'install') void scope.skipWaiting();
});

scope.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== 'GET' || origin !== scope.location.origin || !KEPT.has(pathname)) return;
  event.respondWith(keptOrFetched(event.request, pathname));
});

async function keptOrFetched(request: Request, pathname: string): Promise<Response> {
  const cache = await caches.open(NAME);
  return (await cache.match(pathname === PAGE ? PAGE : request.url)) ?? fetch(request);
}
