import { expect, test } from 'vitest';
import type { Listener } from './sound';
import { Voice, type Note, type Piece } from './voice.svelte';

/** A microphone that says what it is told to, and a disk. */
function studio(kept: Piece[] = []) {
  const disk = new Map(kept.map((piece) => [`${piece.note} ${piece.n}`, piece]));
  const place = {
    now: 1_000,
    room: true,
    allowed: true,
    files: [] as { note: Note; sound: Blob }[],
    microphone: null as Listener | null,
    last: null as string | null,
  };
  const drop = (note: string): void => {
    for (const [key, piece] of disk) if (piece.note === note) disk.delete(key);
  };
  const voice = new Voice(kept, {
    record: (listener) => {
      if (!place.allowed) return Promise.reject(new Error('NotAllowedError'));
      place.microphone = listener;
      const stop = (): Promise<void> => {
        if (place.last) listener.piece(new Blob([place.last]), 'audio/webm');
        listener.ended();
        return Promise.resolve();
      };
      return Promise.resolve({ stop });
    },
    now: () => place.now,
    about: () => 'incident:5',
    keepPiece: (piece) => void disk.set(`${piece.note} ${piece.n}`, piece),
    dropPieces: drop,
    file: (note, sound) => {
      if (place.room) {
        place.files.push({ note, sound });
        drop(note.id);
      }
      return Promise.resolve(place.room);
    },
  });
  const say = (text: string): void => place.microphone?.piece(new Blob([text]), 'audio/webm');
  return { voice, place, disk, say };
}

test('each piece is on disk as it comes, and at the end it is one file', async () => {
  const { voice, place, disk, say } = studio();
  await voice.begin();
  say('one ');
  say('two ');
  expect([...disk.values()].map(({ n }) => n)).toEqual([0, 1]);
  place.last = 'three';
  place.now = 9_000;
  expect(await voice.end()).toBe(true);
  const [made] = place.files;
  expect(await made?.sound.text()).toBe('one two three');
  expect(made?.sound.type).toBe('audio/webm');
  expect(made?.note).toMatchObject({ taken: 1_000, about: 'incident:5' });
  expect([voice.note, voice.broken, disk.size]).toEqual([null, [], 0]);
});

test('what a reload broke off is there afterwards, to send or to delete', async () => {
  const before = studio();
  await before.voice.begin();
  before.say('one ');
  before.say('two');
  const kept = [...before.disk.values()].toReversed();
  const other: Piece = { ...(kept[0] as Piece), note: 'other', n: 0, taken: 2_000 };
  const { voice, place, disk } = studio([other, ...kept]);
  expect(voice.broken.map(({ pieces }) => pieces.length)).toEqual([2, 1]);
  await voice.send(voice.broken[0] as Note);
  expect(await place.files[0]?.sound.text()).toBe('one two');
  voice.discard(voice.broken[0] as Note);
  expect([voice.broken, disk.size]).toEqual([[], 0]);
});

test('a microphone that is taken away leaves what was said', async () => {
  const { voice, place, disk, say } = studio();
  await voice.begin();
  say('one');
  place.microphone?.ended();
  expect(voice.note).toBeNull();
  expect(voice.broken).toHaveLength(1);
  expect(disk.size).toBe(1);
});

test('without room for the file what was said stays', async () => {
  const { voice, place, disk, say } = studio();
  place.room = false;
  await voice.begin();
  say('one');
  expect(await voice.end()).toBe(false);
  expect(voice.broken).toHaveLength(1);
  expect(disk.size).toBe(1);
  place.room = true;
  expect(await voice.send(voice.broken[0] as Note)).toBe(true);
  expect(voice.broken).toEqual([]);
});

test('one that is longer than the server takes goes on in another', async () => {
  const { voice, place, say } = studio();
  await voice.begin();
  say('one');
  place.now += 240_001;
  say('two');
  await expect.poll(() => voice.note?.taken).toBe(place.now);
  say('three');
  await voice.end();
  expect(await Promise.all(place.files.map(({ sound }) => sound.text()))).toEqual([
    'onetwo',
    'three',
  ]);
});

test('no microphone: nothing is begun, and it can be tried again', async () => {
  const { voice, place } = studio();
  place.allowed = false;
  await expect(voice.begin()).rejects.toThrow();
  expect(voice.note).toBeNull();
  place.allowed = true;
  await voice.begin();
  expect(voice.note).not.toBeNull();
});
