import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ServerClock } from '../wire/clock';
import type { ClientFrame, Fix } from '../wire/frames';
import { Positions } from './positions.svelte';

type Found = (position: unknown) => void;
const START = 1_800_000_000_000;
const receiver = {
  asked: 0,
  lat: 17.5,
  speed: 0 as number | null,
  refuse: false,
  getCurrentPosition(found: Found, failed: (problem: object) => void): void {
    this.asked += 1;
    if (this.refuse) {
      failed({ code: 1, PERMISSION_DENIED: 1 });
      return;
    }
    const coords = { latitude: this.lat, longitude: -88.2, speed: this.speed, heading: Number.NaN };
    found({ coords: { ...coords, accuracy: 7.5, altitude: null }, timestamp: Date.now() });
  },
};

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  vi.stubGlobal('navigator', { geolocation: receiver });
  Object.assign(receiver, { asked: 0, lat: 17.5, speed: 0, refuse: false });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function tablet(kept: Fix[] = []) {
  const sent: ClientFrame[] = [];
  const disk = new Map(kept.map((fix) => [fix[1], fix]));
  const line = { up: true, emergency: false };
  const clock = new ServerClock();
  clock.believe(86_400_000);
  const positions = new Positions(kept, {
    send: (frame) => line.up && sent.push(frame) > 0,
    next: () => 7,
    live: () => line.up,
    clock,
    disk: {
      keepFix: (fix) => void disk.set(fix[1], fix),
      dropFixes: (times) => times.forEach((time) => disk.delete(time)),
    },
    need: () => ({ emergency: line.emergency, watched: false }),
    moved: () => undefined,
  });
  return { positions, sent, disk, line };
}

test('a position goes out with the server’s time, and is kept until it is known to be there', async () => {
  const { positions, sent, disk } = tablet();
  await positions.start();
  const time = START + 86_400_000;
  expect(sent).toEqual([
    { t: 'position', p: [0, time, -882_000_000, 175_000_000, 0, null, 750, null, null] },
  ]);
  expect(disk.size).toBe(1);
  expect(positions.waiting).toBe(0);
  positions.reached(START + 1);
  expect(disk.size).toBe(0);
});

test('standing it reports twice a minute, in an emergency every second', async () => {
  const { positions, line } = tablet();
  await positions.start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(receiver.asked).toBe(3);
  line.emergency = true;
  positions.hurry();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(receiver.asked).toBe(9);
});

test('those of a dead spot go as a batch, and stay until it is answered', async () => {
  const { positions, sent, disk, line } = tablet();
  line.up = false;
  await positions.start();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent).toEqual([]);
  expect(positions.waiting).toBe(3);
  expect(positions.since).toBe(START + 86_400_000);
  line.up = true;
  positions.resumed();
  const [batch] = sent;
  expect(batch?.t === 'positions' && batch.p.map(([, time]) => time - START)).toEqual([
    86_400_000, 86_430_000, 86_460_000,
  ]);
  positions.lost();
  positions.resumed();
  expect(sent).toHaveLength(2);
  positions.take({ t: 'ok', n: 7 });
  expect(disk.size).toBe(0);
});

test('a batch that the server cannot store now is sent again', async () => {
  const kept: Fix[] = [1, 2].map((n) => [0, START + n, 0, 0, null, null, 1, null, null]);
  const { positions, sent, disk } = tablet(kept);
  positions.resumed();
  const refusal = { code: 'unavailable', text: '', todo: '', n: 7, retry: 500 };
  positions.take({ t: 'error', ...refusal });
  expect(disk.size).toBe(2);
  await vi.advanceTimersByTimeAsync(500);
  expect(sent).toHaveLength(2);
});

test('a receiver that may not is told, and asked again', async () => {
  receiver.refuse = true;
  const { positions, sent } = tablet();
  await positions.start();
  expect(positions.trouble).toBe('denied');
  receiver.refuse = false;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(positions.trouble).toBe('');
  expect(sent).toHaveLength(1);
  positions.stop();
  await vi.advanceTimersByTimeAsync(90_000);
  expect(receiver.asked).toBe(2);
});
