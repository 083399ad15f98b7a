import { expect, test } from 'vitest';
import type { Attached } from './attached';
import { sendPiece, verdict, type Line } from './uploads';

const file = (more: Partial<Attached> = {}): Attached => ({
  id: '7e8e1dba-8c50-41c4-b26a-758c5e7b0707',
  kind: 'photo',
  type: 'image/jpeg',
  blob: new Blob([new Uint8Array(300_000)]),
  sha256: '00',
  taken: 0,
  about: 'incident:5',
  sent: 0,
  problem: '',
  ...more,
});

function server(...answers: Response[]): Line & { asked: [string, RequestInit][] } {
  const asked: [string, RequestInit][] = [];
  return {
    asked,
    fetch: (path, init) => {
      asked.push([path, init]);
      const answer = answers.shift();
      return answer ? Promise.resolve(answer) : Promise.reject(new TypeError('offline'));
    },
  };
}
const says = (status: number, offset?: number): Response =>
  new Response(null, {
    status,
    headers: offset === undefined ? {} : { 'Upload-Offset': `${offset}` },
  });

test('a new file is begun under its own id', async () => {
  const line = server(says(404), says(201));
  expect(await sendPiece(file(), false, line)).toEqual({ is: 'on', sent: 0 });
  const [path, init] = line.asked[1] ?? ['', {}];
  expect(path).toBe('/api/attachments');
  const said = new Headers(init.headers).get('Upload-Metadata') ?? '';
  expect(
    said.split(',').map((pair) => [pair.split(' ')[0], atob(pair.split(' ')[1] ?? '')]),
  ).toEqual([
    ['id', file().id],
    ['kind', 'photo'],
    ['sha256', '00'],
    ['type', 'image/jpeg'],
    ['about', 'incident:5'],
  ]);
});

test('after a cut it goes on where the server has it', async () => {
  expect(await sendPiece(file(), false, server(says(200, 1_000)))).toEqual({
    is: 'on',
    sent: 1_000,
  });
  const line = server(says(204, 300_000));
  expect(await sendPiece(file({ sent: 262_144 }), true, line)).toEqual({ is: 'done' });
  const body = line.asked[0]?.[1].body as Blob;
  expect(body.size).toBe(300_000 - 262_144);
});

test('a place that is not the server’s is corrected, also to the beginning', async () => {
  expect(await sendPiece(file({ sent: 5 }), true, server(says(409, 3)))).toEqual({
    is: 'on',
    sent: 3,
  });
  expect(await sendPiece(file(), true, server(says(460, 0)))).toEqual({ is: 'on', sent: 0 });
});

test('what passes is tried later, what does not is told', async () => {
  expect(await sendPiece(file(), true, server())).toEqual({ is: 'later' });
  for (const status of [401, 429, 500, 503]) {
    expect(await sendPiece(file(), true, server(says(status)))).toEqual({ is: 'later' });
  }
  const refusal = Response.json(
    { error: { code: 'too_large', text: 'Too large.', todo: 'Shrink it.' } },
    { status: 413 },
  );
  expect(await sendPiece(file(), true, server(refusal))).toEqual({
    is: 'refused',
    code: 'too_large',
    text: 'Too large.',
  });
  expect(await sendPiece(file(), false, server(says(404), says(404)))).toEqual({ is: 'nowhere' });
});

test('what has arrived is asked for until it is judged', async () => {
  const judged = (state: string): Response =>
    Response.json({ state, code: 'virus', reason: 'A virus was found in this file.' });
  const line = server(judged('checking'), says(503), judged('ready'), judged('refused'), says(404));
  const said = [];
  for (let asked = 0; asked < 6; asked += 1) said.push(await verdict(file().id, line));
  expect(said).toEqual([
    { is: 'later' },
    { is: 'later' },
    { is: 'ready' },
    { is: 'refused', code: 'virus', text: 'A virus was found in this file.' },
    { is: 'ready' },
    { is: 'later' },
  ]);
  expect(line.asked[0]?.[0]).toBe(`/api/attachments/${file().id}`);
});
