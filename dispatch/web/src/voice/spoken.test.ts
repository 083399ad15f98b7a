import { describe, expect, it } from 'vitest';
import { lastMinute, Spoken, type Player, type Recording } from './spoken.svelte';

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

function room(...recordings: Recording[]) {
  const asked: string[] = [];
  const shelf = [...recordings];
  const gone = new Set<string>();
  const deck = new Deck();
  const spoken = new Spoken(
    'group:1',
    {
      get: <T>(path: string) => {
        asked.push(path);
        const query = new URLSearchParams(path.split('?')[1]);
        const of = (name: string, otherwise: number) => Number(query.get(name) ?? otherwise);
        const found = shelf
          .filter(({ begun }) => begun >= of('since', 0) && begun < of('before', Infinity))
          .slice(-of('limit', 100));
        return Promise.resolve({ ok: true as const, value: { recordings: found } as T });
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
  return { spoken, deck, asked, gone, shelf };
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('what was said', () => {
  it('is asked for since a moment', async () => {
    const { spoken, asked } = room(talk('a', 1), talk('b', 6_000));
    await spoken.refresh(5_000.4);
    expect(asked).toEqual(['/api/recordings?group=group:1&since=5000&limit=500']);
    expect(spoken.list).toHaveLength(1);
  });

  it('is heard from one on to the end, in order', async () => {
    const [a, b, c] = [talk('a', 1), talk('b', 2), talk('c', 3)];
    const { spoken, deck } = room(a, b, c);
    await spoken.refresh();
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
    const { spoken, deck } = room(a, b);
    await spoken.refresh();
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
    const { spoken, deck, gone } = room(a, b);
    await spoken.refresh();
    gone.add('a');
    await spoken.play(a, true);
    expect(spoken.problem).toContain('not there any more');
    expect(deck.played).toEqual([]);
    expect(spoken.playing).toBeNull();
  });

  it('is all there, also when it is more than the server gives at once; then only what is new', async () => {
    // Two begin in the same millisecond, across the end of a page.
    const all = Array.from({ length: 1_200 }, (_, n) =>
      talk(`t${n}`, 10 + n - (n === 700 ? 1 : 0)),
    );
    const { spoken, asked, shelf } = room(...all);
    await spoken.refresh();
    expect(spoken.list.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    expect(asked).toHaveLength(3);
    shelf.push({ ...talk('going', 2_000), over: false });
    await spoken.refresh();
    expect(asked.slice(3)).toEqual(['/api/recordings?group=group:1&since=1209&limit=500']);
    shelf.push(talk('after', 3_000));
    await spoken.refresh();
    shelf[1_200] = talk('going', 2_000);
    await spoken.refresh();
    expect(asked.at(-1)).toContain('since=2000');
    expect(spoken.list).toHaveLength(1_202);
    expect(spoken.list.at(-2)?.over).toBe(true);
  });

  it('goes on saying why it was not heard when the list is read again', async () => {
    const a = talk('a', 1);
    const { spoken, gone } = room(a);
    gone.add('a');
    await spoken.play(a);
    await spoken.refresh();
    expect(spoken.problem).toContain('not there any more');
  });

  it('in the last minute begins with who talked into it', async () => {
    const now = 1_000_000;
    const old = talk('old', now - 70_000);
    const into = { ...talk('into', now - 61_000), milliseconds: 59_000 };
    const still = { ...talk('still', now - 2_000), milliseconds: 0, over: false };
    expect(lastMinute([old, into, still], now)).toEqual([into, still]);
    const { spoken, deck } = room(old, into);
    const done = spoken.playLastMinute(now);
    await soon();
    deck.end();
    expect(await done).toBe(true);
    expect(deck.played).toEqual(['into']);
    expect(await room(old).spoken.playLastMinute(now)).toBe(false);
  });
});
