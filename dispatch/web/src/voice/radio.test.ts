import { describe, expect, it, vi } from 'vitest';
import type { ClientFrame, FloorYours, ServerFrame } from '../wire/frames';
import { decodeSpeech, type Speech } from '../wire/speech';
import { NEWS_MS } from './passing.svelte';
import { Radio } from './radio.svelte';
import type { Lack, Sound } from './sound.svelte';

function radio() {
  const sent: (ClientFrame | Speech | null)[] = [];
  const kept: string[][] = [];
  let say: (opus: Uint8Array<ArrayBuffer>) => void = () => undefined;
  let n = 0;
  const sound = {
    blocked: false,
    lack: null as Lack | null,
    latency: null as number | null,
    lacking: () => sound.lack,
    open: vi.fn(() => Promise.resolve()),
    tone: () => Promise.reject(new Error('No audio')),
    toned: () => undefined as void,
    packets: 0,
    channel: () =>
      Promise.resolve({
        hear: () => undefined,
        end: () => undefined,
        side: () => undefined,
        close: () => undefined,
        loudness: (loud: number) => loudness.push(loud),
      }),
    microphone: (milliseconds: number, said: typeof say) => {
      sound.packets = milliseconds;
      say = said;
      const alert = () => new Promise<void>((resolve) => (sound.toned = resolve));
      return Promise.resolve({ close: () => void (closed += 1), alert });
    },
  };
  let closed = 0;
  /** How loud it was said to be, each time. */
  const loudness: number[] = [];
  const made = new Radio(
    {
      send: (frame) => (sent.push(frame), true),
      sendSpeech: (frame) => (sent.push(decodeSpeech(frame.buffer)), true),
      next: () => (n += 1),
      live: () => true,
      latency: () => sound.latency,
      me: () => 'person:1',
    },
    sound as unknown as Sound,
    [],
    (heard) => kept.push(heard.map(({ group }) => group)),
  );
  const yours = (state: FloorYours['state']) =>
    made.take({ t: 'floor_yours', group: 'group:1', state });
  return {
    radio: made,
    sound,
    sent,
    kept,
    yours,
    closed: () => closed,
    loudness,
    say: (byte: number) => say(new Uint8Array([byte])),
  };
}

/** Packets that went out: their number, their content, and whether it was the last. */
const packets = (sent: readonly unknown[]) =>
  (sent as Speech[]).flatMap((one) => ('opus' in one ? [[one.number, one.opus[0], one.last]] : []));

describe('a talk', () => {
  it('ends with a packet that says so, before the floor is given back', async () => {
    const { radio: here, sent, yours, say } = radio();
    await here.press('group:1', 'key');
    say(1);
    say(2);
    yours('granted');
    say(3);
    here.release();
    // prettier-ignore
    expect(packets(sent)).toEqual([[0, 1, false], [1, 2, false], [2, 3, true]]);
    expect(sent.at(-1)).toEqual({ t: 'floor_release', group: 'group:1' });
  });

  it('sends nothing of what was said without the floor', async () => {
    const { radio: here, sent, yours, say } = radio();
    await here.press('group:1', 'key');
    say(1);
    here.release();
    await here.press('group:1', 'key');
    yours('granted');
    say(2);
    yours('revoked');
    here.release();
    expect(packets(sent)).toEqual([]);
  });

  it('does not begin where the browser cannot do it, and says why', async () => {
    const { radio: here, sound, sent } = radio();
    sound.lack = 'insecure';
    await here.press('group:1', 'key');
    expect(here.talk).toBeNull();
    expect(here.lack).toBe('insecure');
    expect(sent).toEqual([]);
  });
});

it('a refusal is told for a while, or until the next wish', async () => {
  vi.useFakeTimers();
  const { radio: here } = radio();
  const denied = {
    t: 'floor_yours',
    group: 'group:1',
    state: 'denied',
    code: 'queue_full',
  } as const;
  await here.press('group:1', 'key');
  here.take(denied);
  expect(here.refusal?.code).toBe('queue_full');
  await here.press('group:1', 'key');
  expect(here.refusal).toBeNull();
  here.take(denied);
  vi.advanceTimersByTime(NEWS_MS - 1);
  expect(here.refusal).not.toBeNull();
  vi.advanceTimersByTime(1);
  expect(here.refusal).toBeNull();
  vi.useRealTimers();
});

describe('an attention tone', () => {
  it('is said first and whole, though the key was let go, and nothing from before it', async () => {
    const { radio: here, sound, sent, yours, say } = radio();
    await here.press('group:1', 'key', { alert: true });
    say(1);
    here.release('key');
    yours('granted');
    expect(here.talk?.alert).toBe(true);
    say(7);
    say(8);
    expect(here.talk).not.toBeNull();
    sound.toned();
    await Promise.resolve();
    expect(here.talk).toBeNull();
    expect(packets(sent)).toEqual([[0, 7, false], [1, 8, true]]); // prettier-ignore
    expect(sent.at(-1)).toEqual({ t: 'floor_release', group: 'group:1' });
  });

  it('is followed by speech as long as the key is down', async () => {
    const { radio: here, sound, sent, yours, say } = radio();
    await here.press('group:1', 'key', { alert: true, call: 'peril' });
    yours('granted');
    say(7);
    sound.toned();
    await Promise.resolve();
    expect(here.talk?.alert).toBe(false);
    say(1);
    here.release('key');
    expect(sent[0]).toEqual({ t: 'floor_ask', group: 'group:1', call: 'peril' });
    expect(packets(sent)).toEqual([[0, 7, false], [1, 1, true]]); // prettier-ignore
  });

  it('waits for nobody who has let go', async () => {
    const { radio: here, yours } = radio();
    await here.press('group:1', 'key', { alert: true });
    here.release('key');
    expect(here.talk).not.toBeNull();
    yours('queued');
    expect(here.talk).toBeNull();
  });
});

describe('a page that has locked, or was offline', () => {
  const RINGS = { t: 'called', group: 'call:1', by: 'unit:7', by_name: 'P-901', agency: 1, to: ['person:1'] } as ServerFrame; // prettier-ignore

  it('has no open microphone, also when a headset’s button is in', async () => {
    const { radio: here, yours, closed } = radio();
    await here.press('group:1', 'headset');
    yours('granted');
    here.lost();
    expect([here.talk, closed()]).toEqual([null, 1]);
  });

  it('does not ring, and shows no patch that may have ended meanwhile', () => {
    vi.useFakeTimers();
    const { radio: here } = radio();
    here.join('group:1');
    here.take({ t: 'patched', group: 'group:1', other: 'group:2', other_name: 'JOC', by: 'person:1', by_name: 'A' }); // prettier-ignore
    here.take(RINGS);
    here.resumed();
    expect(here.calls.ringing.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(here.patches.of('group:1')).toBeUndefined();
    vi.useRealTimers();
  });
});

it('packets are as long as the line is slow, and say so', async () => {
  const { radio: here, sound, sent, yours, say } = radio();
  sound.latency = 700;
  await here.press('group:1', 'key');
  yours('granted');
  say(1);
  here.release();
  expect(sound.packets).toBe(60);
  expect((sent as Speech[]).find((one) => 'opus' in one)?.milliseconds).toBe(60);
});

describe('what holds a talk', () => {
  it('alone ends it', async () => {
    const { radio: here } = radio();
    await here.press('group:1', 'key');
    await here.press('group:1', 'pointer 1');
    here.release('pointer 1');
    here.release('button');
    expect(here.talk).not.toBeNull();
    here.release('key');
    expect(here.talk).toBeNull();
    await here.press('group:1', 'pointer 2');
    here.release('pointer 1');
    expect(here.talk).not.toBeNull();
    here.release();
    expect(here.talk).toBeNull();
  });

  it('is a headset’s button, whichever window is in front', async () => {
    const { radio: here } = radio();
    await here.press('group:1', 'headset');
    here.release();
    expect(here.talk).not.toBeNull();
    here.release('headset');
    expect(here.talk).toBeNull();
  });
});

describe('hearing', () => {
  it('asks for sound as soon as a group is heard, and says that it is not allowed', () => {
    const { radio: here, sound } = radio();
    sound.blocked = true;
    expect(here.blocked).toBe(false);
    here.join('group:1');
    expect(sound.open).toHaveBeenCalled();
    expect(here.blocked).toBe(true);
  });

  it('of a muted group goes on where it is patched with one that is not', async () => {
    const { radio: here, loudness } = radio();
    const patched = { t: 'patched', group: 'group:1', other: 'group:2', other_name: 'JOC', by: 'person:1', by_name: 'A' } as const; // prettier-ignore
    const said = { group: 'group:1', talker: 'unit:7', number: 0, milliseconds: 20, last: false, opus: new Uint8Array([1]) } as const; // prettier-ignore
    here.join('group:1');
    here.join('group:2');
    here.hearing('group:1', { muted: true });
    here.hearing('group:2', { loudness: 0.5 });
    here.speech(said);
    await Promise.resolve();
    here.take(patched);
    here.take({ ...patched, group: 'group:2', other: 'group:1' });
    here.speech({ ...said, number: 1 });
    await Promise.resolve();
    expect(loudness).toEqual([0, 0.25, 0.25]);
    here.hearing('group:2', { muted: true });
    await Promise.resolve();
    expect(loudness.at(-1)).toBe(0);
    here.hearing('group:2', { muted: false });
    here.leave('group:2');
    await Promise.resolve();
    expect(loudness.slice(-2)).toEqual([0.25, 0]);
  });

  it('of a group that refuses is over, and says why', () => {
    const { radio: here, sent } = radio();
    here.join('group:1');
    here.join('group:2');
    const asked = sent as ClientFrame[];
    expect(asked).toEqual([
      { t: 'voice_join', n: 1, group: 'group:1' },
      { t: 'voice_join', n: 2, group: 'group:2' },
    ]);
    const no = { t: 'error', code: 'not_your_group', text: 'Not yours.', todo: 'Ask.' } as const;
    here.take({ t: 'ok', n: 1 });
    here.take({ ...no, n: 1 });
    here.take({ ...no, n: 7 });
    expect(here.refusal).toBeNull();
    expect([here.asked(1), here.asked(7), here.asked(2)]).toEqual([false, false, true]);
    here.take({ ...no, n: 2 });
    expect([...here.heard.keys()]).toEqual(['group:1']);
    expect(here.refusal?.code).toBe('not_your_group');
  });

  it('is asked for again where the server could not now, and is kept', () => {
    vi.useFakeTimers();
    const { radio: here, sent, kept } = radio();
    here.join('group:1');
    here.join('group:2');
    const later = { t: 'error', code: 'too_fast', text: '', todo: '', retry: 1_000 } as const;
    here.take({ ...later, n: 1 });
    here.take({ ...later, n: 2 });
    here.leave('group:2');
    vi.advanceTimersByTime(1_000);
    expect([...here.heard.keys()]).toEqual(['group:1']);
    expect(kept.at(-1)).toEqual(['group:1']);
    expect(sent.at(-1)).toEqual({ t: 'voice_join', n: 4, group: 'group:1' });
    here.take({ ...later, n: 4 });
    here.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });
});

describe('a call', () => {
  const RINGS = { t: 'called', group: 'call:1', by: 'unit:7', by_name: 'P-901', agency: 1, to: ['person:1'] } as ServerFrame; // prettier-ignore

  it('is heard once it is answered, and is no group for the next day', () => {
    const { radio: here, kept } = radio();
    here.join('group:1');
    here.take(RINGS);
    here.calls.answer('call:1');
    expect([...here.heard.keys()]).toEqual(['group:1', 'call:1']);
    expect(kept.at(-1)).toEqual(['group:1']);
  });

  it('that has ended while the line was lost is said to be over', () => {
    const { radio: here, sent } = radio();
    here.take(RINGS);
    here.calls.answer('call:1');
    here.lost();
    here.resumed();
    const { n } = sent.at(-1) as { n: number };
    here.take({ t: 'error', n, code: 'not_your_group', text: 'It is over.', todo: 'Call.' } as ServerFrame); // prettier-ignore
    expect([...here.heard.keys(), ...here.calls.within]).toEqual([]);
    expect([here.refusal, here.calls.told?.code]).toEqual([null, 'call_over']);
  });

  it('does not go on ringing when nobody sits here any more', () => {
    vi.useFakeTimers();
    const { radio: here } = radio();
    here.take(RINGS);
    here.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });
});

describe('radios', () => {
  it('that do not hear a group are told of until they do, or nobody hears it here', () => {
    const { radio: here } = radio();
    const told = (reach: 'busy' | 'lost' | 'heard', group: 'group:1' | 'group:2' = 'group:1') =>
      here.take({ t: 'reach', group, reach });
    here.join('group:1');
    told('lost');
    told('lost', 'group:2');
    expect([...here.reach]).toEqual([['group:1', 'lost']]);
    told('busy');
    expect(here.reach.get('group:1')).toBe('busy');
    told('heard');
    expect(here.reach.size).toBe(0);
    told('lost');
    here.leave('group:1');
    expect(here.reach.size).toBe(0);
  });

  it('that talk are waited for, and who waits knows that it is a radio', async () => {
    const { radio: here } = radio();
    await here.press('group:1', 'key');
    here.take({ t: 'floor_yours', group: 'group:1', state: 'queued', position: 1, code: 'radio_talks' }); // prettier-ignore
    expect(here.talk).toMatchObject({ wish: 'queued', forRadio: true });
    here.take({ t: 'floor_yours', group: 'group:1', state: 'queued', position: 1 });
    expect(here.talk?.forRadio).toBe(false);
  });
});
