import { expect, test } from 'vitest';
import type { Answer } from '../../state/http';
import type { LogEntry } from './entries';
import { IncidentLog } from './log.svelte';

const entries = (from: number, to: number): LogEntry[] =>
  Array.from({ length: to - from + 1 }, (_, n) => ({
    seq: from + n,
    at: 0,
    author: '',
    author_name: '',
    agency: 1,
    kind: 'note',
    private: false,
    details: {},
  }));

test('a long log is read in parts, each entry once, and read on from there', async () => {
  const asked: string[] = [];
  let newest = 700;
  const get = (path: string): Promise<Answer<{ events: LogEntry[] }>> => {
    asked.push(path);
    const after = Number(path.split('after=')[1]);
    const events = entries(after + 1, Math.min(newest, after + 500));
    return Promise.resolve({ ok: true, value: { events } });
  };
  const log = new IncidentLog(3, get);
  await log.upTo(700);
  expect(log.entries.map(({ seq }) => seq)).toEqual(entries(1, 700).map(({ seq }) => seq));
  await log.upTo(700);
  expect(asked).toEqual(['/api/incidents/3/log?after=0', '/api/incidents/3/log?after=500']);
  newest = 702;
  await log.upTo(702);
  expect(log.entries.length).toBe(702);
});

test('entries that are not shown to one are not asked for again and again', async () => {
  let times = 0;
  const log = new IncidentLog(3, () => {
    times += 1;
    return Promise.resolve({ ok: true, value: { events: entries(1, 2) } });
  });
  await log.upTo(4);
  expect(times).toBe(1);
  expect(log.entries.length).toBe(2);
});

test('a log that cannot be read says why, and is read when it is asked for again', async () => {
  let works = false;
  const log = new IncidentLog(3, () =>
    Promise.resolve(
      works
        ? { ok: true, value: { events: entries(1, 1) } }
        : { ok: false, text: 'The database is away.', code: 'unavailable' },
    ),
  );
  await log.upTo(1);
  expect(log.problem).toBe('The database is away.');
  works = true;
  await log.upTo(1);
  expect(log.problem).toBe('');
  expect(log.entries.length).toBe(1);
});
