import { describe, expect, it } from 'vitest';
import { Spoken, type Player, type Recording } from './spoken.svelte';

function talk(id: string, begun: number): Recording {
  return { id, group: 'group:1', group_name: 'JOC', talker: 'person:1', talker_name: 'Ana', agency: 1, call: 'normal', begun, milliseconds: 3_000, over: true }; // prettier-ignore
}

/** Plays until it is told that the sound is over. */
class Deck implements Player {
  readonly played: string[] = [];
  end: () => void = () => undefined;

  async play(sound: Blob): Promise<void> {
    this.played.push(await sound.text());
    await new Promise<void>((resolve) => (this.end = resolve));
  }

  stop(): void {
    this.end();
  }
}

async function room(...recordings: Recording[]) {
  const asked: string[] = [];
  const gone = new Set<string>();
  const deck = new Deck();
  const spoken = new Spoken(
    'group:1',
    {
      get: <T>(path: string) => {
        asked.push(path);
        return Promise.resolve({ ok: true as const, value: { recordings } as T });
      },
      file: (path: string) => {
        const id = path.split('/')[3] ?? '';
        return Promise.resolve(
          gone.has(id)
            ? { ok: false as const, text: 'It is not there any more.', code: 'not_found' }
            : { ok: true as const, value: new Blob([id]) },
        );
      },
    },
    deck,
  );
  await spoken.refresh(5_000.4);
  return { spoken, deck, asked, gone };
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('what was said', () => {
  it('is asked for since a moment', async () => {
    const { spoken, asked } = await room(talk('a', 1));
    expect(asked).toEqual(['/api/recordings?group=group:1&since=5000&limit=500']);
    expect(spoken.list).toHaveLength(1);
  });

  it('is heard from one on to the end, in order', async () => {
    const [a, b, c] = [talk('a', 1), talk('b', 2), talk('c', 3)];
    const { spoken, deck } = await room(a, b, c);
    const done = spoken.play(b, true);
    await soon();
    expect(spoken.playing?.id).toBe('b');
    deck.end();
    await soon();
    deck.end();
    await done;
    expect(deck.played).toEqual(['b', 'c']);
    expect(spoken.playing).toBeNull();
  });

  it('is heard one at a time: who presses last is heard', async () => {
    const [a, b] = [talk('a', 1), talk('b', 2)];
    const { spoken, deck } = await room(a, b);
    void spoken.play(a, true);
    await soon();
    void spoken.play(b);
    await soon();
    expect(deck.played).toEqual(['a', 'b']);
    expect(spoken.playing?.id).toBe('b');
    spoken.stop();
    await soon();
    expect(deck.played).toEqual(['a', 'b']);
    expect(spoken.playing).toBeNull();
  });

  it('says why it is not heard', async () => {
    const [a, b] = [talk('a', 1), talk('b', 2)];
    const { spoken, deck, gone } = await room(a, b);
    gone.add('a');
    await spoken.play(a, true);
    expect(spoken.problem).toContain('not there any more');
    expect(deck.played).toEqual([]);
    expect(spoken.playing).toBeNull();
  });
});
