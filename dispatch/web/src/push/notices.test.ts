import { expect, test } from 'vitest';
import { noticeOf, notify, pageOf, type Happening, type Options, type Scope } from './notices';

const SAID = {
  id: 7,
  warning: 3,
  status: 'Actual',
  cancelled: false,
  language: 'es-BZ',
  title: 'NEMO: Aviso de huracán para Belice',
  body: 'Vaya a un refugio ahora.',
};

/** A worker's scope that keeps what was shown, and which windows there are. */
class Worker implements Scope {
  readonly shown: { title: string; options: Options }[] = [];
  readonly opened: string[] = [];
  readonly focused: string[] = [];
  readonly registration: Scope['registration'];
  readonly clients: Scope['clients'];
  readonly #listeners = new Map<string, (event: Happening) => void>();

  constructor(scope: string, urls: readonly string[] = []) {
    this.registration = {
      scope,
      showNotification: (title, options) => {
        this.shown.push({ title, options });
        return Promise.resolve();
      },
    };
    this.clients = {
      matchAll: () =>
        Promise.resolve(
          urls.map((url) => ({ url, focus: () => Promise.resolve(this.focused.push(url)) })),
        ),
      openWindow: (url) => Promise.resolve(this.opened.push(url)),
    };
    notify(this);
  }

  addEventListener(kind: string, listener: (event: Happening) => void): void {
    this.#listeners.set(kind, listener);
  }

  async happens(kind: string, event: Omit<Happening, 'waitUntil'>): Promise<void> {
    const works: Promise<unknown>[] = [];
    this.#listeners.get(kind)?.({ ...event, waitUntil: (work) => works.push(work) });
    await Promise.all(works);
  }
}

test('a warning is shown with its headline, and what is Actual stays', async () => {
  const worker = new Worker('https://psn.example.bz/push/');
  await worker.happens('push', { data: { json: () => SAID } });
  expect(worker.shown).toHaveLength(1);
  expect(worker.shown[0]).toMatchObject({
    title: SAID.title,
    options: { body: SAID.body, tag: 'warning-3', lang: 'es-BZ', requireInteraction: true },
  });
});

test('a later word of a warning takes its place, and that it is over need not stay', () => {
  const over = noticeOf({ ...SAID, id: 8, cancelled: true });
  expect(over.options.tag).toBe(noticeOf(SAID).options.tag);
  expect(over.options).toMatchObject({ requireInteraction: false, renotify: true });
  expect(noticeOf({ ...SAID, status: 'Exercise' }).options.requireInteraction).toBe(false);
});

test.each([null, undefined, 3, 'text', [], {}, { title: 3, body: '' }, { title: '', body: 'b' }])(
  'whatever comes, something is shown: %j',
  async (said) => {
    const worker = new Worker('https://psn.example.bz/push/field');
    await worker.happens('push', { data: { json: () => said } });
    expect(worker.shown[0]?.title).toBe('NEMO');
    expect(worker.shown[0]?.options.body).toContain('Open the page');
  },
);

test('what is no JSON, and nothing at all, is shown too', async () => {
  const worker = new Worker('https://psn.example.bz/push/field');
  const broken = (): unknown => JSON.parse('{');
  await worker.happens('push', { data: { json: broken } });
  await worker.happens('push', { data: null });
  expect(worker.shown).toHaveLength(2);
});

test.each([
  ['https://psn.example.bz/push/', '/'],
  ['https://psn.example.bz/push/field', '/field'],
])('a touch opens the page of the worker: %s', async (scope, page) => {
  expect(pageOf(scope)).toBe(page);
  const closed: boolean[] = [];
  const notification = { close: () => void closed.push(true) };
  const away = new Worker(scope, ['https://psn.example.bz/numbers']);
  await away.happens('notificationclick', { notification });
  expect([away.opened, away.focused, closed]).toEqual([[page], [], [true]]);
  const url = `https://psn.example.bz${page}#x`;
  const there = new Worker(scope, ['https://psn.example.bz/numbers', url]);
  await there.happens('notificationclick', { notification });
  expect([there.opened, there.focused]).toEqual([[], [url]]);
});
