import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Attached } from './attached';
import { Files } from './files.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A disk, and a server that says what it is told to. */
function place(kept: Attached[] = [], room = true) {
  const disk = new Map(kept.map((file) => [file.id, file]));
  const line = { up: false, answers: [] as Response[], asked: [] as string[] };
  const files = new Files(
    kept,
    {
      keepFile: (file) => {
        if (room) disk.set(file.id, file);
        return Promise.resolve(room);
      },
      dropFile: (id) => void disk.delete(id),
    },
    {
      live: () => line.up,
      now: () => 1_000,
      fetch: (_path, init) => {
        line.asked.push(init.method ?? '');
        const answer = line.answers.shift();
        return answer ? Promise.resolve(answer) : Promise.reject(new TypeError('offline'));
      },
    },
  );
  return { files, disk, line };
}
const says = (status: number, offset?: number): Response =>
  new Response(null, {
    status,
    headers: offset === undefined ? {} : { 'Upload-Offset': `${offset}` },
  });
const judged = (state: string, code?: string, reason?: string): Response =>
  Response.json({ state, code: code ?? null, reason: reason ?? null });
const ready = (): Response => judged('ready');
const photo = new Blob(['12345'], { type: 'image/jpeg' });
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

test('what is taken without a network is on disk, and is sent when there is one', async () => {
  const { files, disk, line } = place();
  expect(await files.add('photo', photo, 'incident:5')).toBe(true);
  expect([...disk.values()]).toMatchObject([
    { kind: 'photo', type: 'image/jpeg', about: 'incident:5', taken: 1_000, sent: 0 },
  ]);
  expect(line.asked).toEqual([]);
  line.up = true;
  line.answers = [says(404), says(201), says(204, 5), ready()];
  files.resumed();
  await settle();
  expect(line.asked).toEqual(['HEAD', 'POST', 'PATCH', 'GET']);
  expect(disk.size).toBe(0);
  expect(files.all).toEqual([]);
});

test('a cut in the middle: it asks where it stands, and goes on', async () => {
  const { files, line, disk } = place();
  await files.add('voice', photo, null);
  line.up = true;
  line.answers = [says(404), says(201)];
  files.resumed();
  await settle();
  expect(files.waiting).toHaveLength(1);
  line.answers = [says(200, 3), says(204, 5), ready()];
  await vi.advanceTimersByTimeAsync(5_000);
  expect(line.asked.slice(-2)).toEqual(['PATCH', 'GET']);
  expect(disk.size).toBe(0);
});

test('one that is refused stays with the reason, and the next is sent', async () => {
  const { files, line, disk } = place();
  await files.add('photo', photo, null);
  await files.add('photo', photo, null);
  line.up = true;
  const error = { text: 'This is no photo.', todo: 'Take another.' };
  line.answers = [says(404), Response.json({ error }, { status: 400 }), says(404), says(201)];
  line.answers.push(says(204, 5), ready());
  files.resumed();
  await settle();
  expect(files.refused.map(({ problem }) => problem)).toEqual(['This is no photo.']);
  files.discard([...disk.keys()][0] ?? '');
  expect(disk.size).toBe(0);
});

test('a server that takes no files is said, and asked again later', async () => {
  const { files, line, disk } = place();
  await files.add('photo', photo, null);
  line.up = true;
  line.answers = [says(404), says(404)];
  files.resumed();
  await settle();
  expect(files.nowhere).toBe(true);
  expect(disk.size).toBe(1);
});

test('no room on the disk is told at once', async () => {
  const { files } = place([], false);
  expect(await files.add('photo', photo, null)).toBe(false);
  expect(files.waiting).toEqual([]);
});

test('one that is refused after it arrived stays with the reason, over a restart, and waits for nobody', async () => {
  const { files, line, disk } = place();
  await files.add('photo', photo, null);
  line.up = true;
  line.answers = [says(404), says(201), says(204, 5), judged('checking')];
  files.resumed();
  await settle();
  expect(files.waiting).toEqual([]);
  expect([...disk.values()]).toMatchObject([{ arrived: true, problem: '' }]);

  const again = place([...disk.values()]);
  again.line.up = true;
  again.line.answers = [judged('checking'), judged('refused', 'wrong_type', 'A ZIP archive.')];
  again.files.resumed();
  await settle();
  expect(again.files.refused).toEqual([]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(again.line.asked).toEqual(['GET', 'GET']);
  expect(again.files.waiting).toEqual([]);

  const last = place([...again.disk.values()]);
  last.line.up = true;
  last.files.resumed();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(last.line.asked).toEqual([]);
  expect(last.files.refused).toMatchObject([{ code: 'wrong_type', problem: 'A ZIP archive.' }]);
});

test('what the server is judging holds up no other', async () => {
  const { files, line, disk } = place();
  await files.add('photo', photo, null);
  line.up = true;
  line.answers = [says(404), says(201), says(204, 5), judged('checking')];
  files.resumed();
  await settle();
  line.answers = [says(404), says(201), says(204, 5), judged('checking'), ready()];
  await files.add('photo', photo, null);
  await settle();
  expect(disk.size).toBe(1);
  line.answers = [ready()];
  await vi.advanceTimersByTimeAsync(5_000);
  expect(disk.size).toBe(0);
});
