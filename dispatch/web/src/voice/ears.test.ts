import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Speech } from '../wire/speech';
import { Ears, type Hearing } from './ears';
import type { Channel } from './sound.svelte';

const JOC: Hearing = { group: 'group:1', loudness: 1, muted: false, side: 0 };

function said(number: number, more: Partial<Speech> = {}): Speech {
  return { group: 'group:1', talker: 'unit:7', number, milliseconds: 20, last: false, opus: new Uint8Array([1]), ...more }; // prettier-ignore
}

/** What each way to the ear was told, in order. */
function loudspeaker() {
  const told: string[][] = [];
  const loud: number[] = [];
  const breaks: (() => void)[] = [];
  const trouble: unknown[] = [];
  let refused = 0;
  const sound = {
    channel(broken: () => void): Promise<Channel> {
      if (refused > 0) {
        refused -= 1;
        return Promise.reject(new Error('No audio'));
      }
      const mine: string[] = [];
      told.push(mine);
      breaks.push(broken);
      return Promise.resolve({
        hear: (_, lost, last) => mine.push(`${lost}${last ? ' last' : ''}`),
        end: () => mine.push('end'),
        loudness: (value) => loud.push(value),
        side: () => undefined,
        close: () => mine.push('close'),
      });
    },
  };
  const ears = new Ears(sound, (problem) => trouble.push(problem));
  return { ears, told, loud, breaks, trouble, refuse: () => (refused = 1) };
}

const soon = () => vi.advanceTimersByTimeAsync(1);

describe('the ears of a group', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are as loud as was chosen, also while somebody talks', async () => {
    const { ears, loud } = loudspeaker();
    ears.hear(said(0), { ...JOC, loudness: 0.5 });
    ears.tune({ ...JOC, loudness: 0.5, muted: true });
    ears.tune(JOC);
    ears.tune({ ...JOC, group: 'group:2', loudness: 0.1 });
    await soon();
    expect(loud).toEqual([0.25, 0, 1]);
  });

  it('hear what is missing, and the end of who does not talk any more', async () => {
    const { ears, told } = loudspeaker();
    ears.hear(said(0), JOC);
    ears.hear(said(3), JOC);
    ears.hear(said(0, { talker: 'person:2' }), JOC);
    ears.ended('group:1', 'person:2');
    ears.ended('group:1', 'person:2');
    ears.ended('group:2');
    await soon();
    expect(told).toEqual([['0', '1920', 'end'], ['0']]);
    ears.ended('group:1');
    await soon();
    expect(told[1]).toEqual(['0', 'end']);
  });

  it('hear the end of a talk that nobody told, when the next one begins', async () => {
    const { ears, told } = loudspeaker();
    ears.hear(said(0), JOC);
    ears.hear(said(1), JOC);
    ears.hear(said(0), JOC);
    await soon();
    expect(told).toEqual([['0', '0', 'end', '0']]);
  });

  it('close some time after a talk, but not when another one has begun', async () => {
    const { ears, told } = loudspeaker();
    ears.hear(said(0, { last: true }), JOC);
    await vi.advanceTimersByTimeAsync(9_000);
    ears.hear(said(0), JOC);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(told).toEqual([['0 last', '0']]);
    ears.lost();
    await vi.advanceTimersByTimeAsync(11_000);
    expect(told).toEqual([['0 last', '0', 'end', 'close']]);
    ears.hear(said(0), JOC);
    await soon();
    expect(told).toHaveLength(2);
  });

  it('are made anew after one broke, or could not be made', async () => {
    const { ears, told, breaks, trouble, refuse } = loudspeaker();
    refuse();
    ears.hear(said(0), JOC);
    await soon();
    expect(trouble).toHaveLength(1);
    ears.hear(said(1), JOC);
    await soon();
    expect(told).toEqual([['0']]);
    breaks[0]?.();
    ears.hear(said(2), JOC);
    await soon();
    expect(told).toEqual([['0', 'close'], ['0']]);
  });

  it('close with their group', async () => {
    const { ears, told } = loudspeaker();
    ears.hear(said(0), JOC);
    ears.hear(said(0, { group: 'group:2' }), { ...JOC, group: 'group:2' });
    ears.close('group:1');
    await soon();
    expect(told).toEqual([['0', 'close'], ['0']]);
    ears.close();
    await soon();
    expect(told[1]).toEqual(['0', 'close']);
  });
});
