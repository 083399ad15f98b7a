import { describe, expect, it, vi } from 'vitest';
import type { Hearing } from '../voice/ears';
import { OPEN_MS } from '../voice/radio.svelte';
import type { Microphone, Sound } from '../voice/sound.svelte';
import type { Address, ClientFrame, FloorYours } from '../wire/frames';
import type { VoiceAddress } from '../wire/speech';
import { Talking } from './talking.svelte';

function crew(kept: { heard: Hearing[]; chosen: VoiceAddress | null } | null = null) {
  const sent: ClientFrame[] = [];
  const saved: { heard: Hearing[]; chosen: VoiceAddress | null }[] = [];
  const now = {
    groups: [] as { id: number; name: string }[],
    incident: null as { id: number; number: string } | null,
    emergency: false,
  };
  const sound = {
    open: () => Promise.resolve(),
    lacking: () => null,
    tone: vi.fn(() => Promise.resolve()),
    microphone: (): Promise<Pick<Microphone, 'close'>> =>
      Promise.resolve({ close: () => undefined }),
    blocked: false,
  };
  const talking = new Talking(
    {
      line: {
        send: (frame) => (sent.push(frame), true),
        sendSpeech: () => true,
        next: vi.fn(() => 1),
        live: () => true,
        latency: () => null,
        me: () => 'unit:1',
      },
      load: () => kept,
      save: (what) => saved.push(what),
      groups: () => now.groups,
      incident: () => now.incident,
      emergency: () => now.emergency,
    },
    sound as unknown as Sound,
  );
  /** What the server says of its wish to talk. */
  const yours = (state: FloorYours['state'], code?: string) =>
    talking.radio.take({ t: 'floor_yours', group: 'group:3', state, ...(code ? { code } : {}) });
  return { talking, now, sent, saved, sound, yours };
}

const hearing = (group: VoiceAddress, muted = false): Hearing => ({ group, loudness: 1, muted, side: 0 }); // prettier-ignore

const GROUPS = [
  { id: 3, name: 'JOC' },
  { id: 4, name: 'Belize City' },
];

describe('the red button', () => {
  const pressed = () => {
    const made = crew();
    made.now.groups = GROUPS;
    made.talking.known();
    made.now.emergency = true;
    made.sent.length = 0;
    return made;
  };

  it('begins the emergency call by itself, for a while', async () => {
    vi.useFakeTimers();
    const { talking, sent, yours } = pressed();
    talking.callForHelp();
    await vi.advanceTimersByTimeAsync(0);
    yours('granted');
    expect(sent).toEqual([{ t: 'floor_ask', group: 'group:3', call: 'emergency' }]);
    talking.radio.release(); // the page goes to the back
    vi.advanceTimersByTime(OPEN_MS - 1);
    expect(talking.radio.talk?.open).toBe(true);
    vi.advanceTimersByTime(1);
    expect(talking.radio.talk).toBeNull();
    expect(sent.at(-1)).toEqual({ t: 'floor_release', group: 'group:3' });
    vi.useRealTimers();
  });

  it('calls all who may hear a group, though the crew is in a call with one', () => {
    const { talking, sent } = pressed();
    talking.radio.take({ t: 'called', group: 'call:1', by: 'person:7', by_name: 'A', agency: 1, to: ['unit:1'] }); // prettier-ignore
    talking.answer('call:1');
    sent.length = 0;
    talking.callForHelp();
    expect(sent).toEqual([{ t: 'floor_ask', group: 'group:3', call: 'emergency' }]);
    talking.press('button');
    talking.radio.release('button');
    talking.press('button');
    expect(sent.at(-1)).toEqual({ t: 'floor_ask', group: 'group:3', call: 'emergency' });
  });

  it('is heard for as long after it has waited for another emergency', async () => {
    vi.useFakeTimers();
    const { talking, yours } = pressed();
    talking.callForHelp();
    yours('queued');
    await vi.advanceTimersByTimeAsync(2 * OPEN_MS);
    expect(talking.radio.talk?.wish).toBe('queued');
    yours('granted');
    vi.advanceTimersByTime(OPEN_MS - 1);
    expect(talking.radio.talk?.wish).toBe('granted');
    vi.advanceTimersByTime(1);
    expect(talking.radio.talk).toBeNull();
    vi.useRealTimers();
  });

  it('asks again when the browser was slow to allow the microphone', async () => {
    vi.useFakeTimers();
    const { talking, sent, sound, yours } = pressed();
    let allow: (microphone: Pick<Microphone, 'close'>) => void = () => undefined;
    sound.microphone = () => new Promise((resolve) => (allow = resolve));
    talking.callForHelp();
    yours('granted');
    vi.advanceTimersByTime(2 * OPEN_MS);
    yours('revoked', 'silent');
    expect(talking.radio.talk?.wish).toBe('asked');
    allow({ close: () => undefined });
    await vi.advanceTimersByTimeAsync(0);
    expect(sent.filter(({ t }) => t === 'floor_ask')).toHaveLength(2);
    yours('granted');
    vi.advanceTimersByTime(OPEN_MS - 1);
    expect(talking.radio.talk?.wish).toBe('granted');
    yours('revoked', 'silent');
    expect(talking.radio.talk).toBeNull();
    vi.useRealTimers();
  });

  it('leaves it to the hand that presses the key', async () => {
    vi.useFakeTimers();
    const { talking, yours } = pressed();
    talking.callForHelp();
    await vi.advanceTimersByTimeAsync(0);
    yours('granted');
    talking.press('pointer 1');
    vi.advanceTimersByTime(2 * OPEN_MS);
    expect(talking.radio.talk?.open).toBe(false);
    talking.radio.release('pointer 1');
    expect(talking.radio.talk).toBeNull();
    vi.useRealTimers();
  });

  it('ends a talk in another group: the order has come while the key was held', async () => {
    const { talking, now, sent } = pressed();
    now.emergency = false;
    talking.press('button');
    await Promise.resolve();
    now.incident = { id: 12, number: 'BPD-26-00012' };
    talking.sent();
    now.emergency = true;
    sent.length = 0;
    talking.callForHelp();
    expect(sent).toEqual([
      { t: 'floor_release', group: 'group:3' },
      { t: 'floor_ask', group: 'incident:12', call: 'emergency' },
    ]);
    talking.radio.release('button');
    expect(talking.radio.talk?.open).toBe(true);
  });

  it('makes no sound by the tablet, whatever becomes of the call', () => {
    const { talking, sound, yours } = pressed();
    for (const state of ['granted', 'revoked', 'denied'] as const) {
      talking.callForHelp();
      yours(state);
    }
    talking.callForHelp();
    yours('granted');
    talking.radio.lost();
    expect(sound.tone).not.toHaveBeenCalled();
    talking.press('button');
    yours('denied');
    expect(sound.tone).toHaveBeenCalledOnce();
  });

  it('makes an emergency of what is said already, and ends with the word that all is well', () => {
    const { talking, now, sent } = pressed();
    now.emergency = false;
    talking.press('key');
    now.emergency = true;
    talking.callForHelp();
    expect(sent.map((each) => ('call' in each ? each.call : each.t))).toEqual([
      'floor_ask',
      'emergency',
    ]);
    talking.calm();
    expect(talking.radio.talk?.call).toBe('emergency'); // held by the key still
    talking.radio.release('key');
    talking.callForHelp();
    talking.calm();
    expect(talking.radio.talk).toBeNull();
  });
});

describe('the radio of a crew', () => {
  it('hears all groups of its unit on the first day, and talks in the first', () => {
    const { talking, now, saved } = crew();
    talking.known();
    expect(talking.chosen).toBeNull();
    now.groups = GROUPS;
    talking.known();
    expect([...talking.radio.heard.keys()]).toEqual(['group:3', 'group:4']);
    expect(saved.at(-1)?.heard).toHaveLength(2);
  });

  it('hears on later days what was not muted, and the groups that the unit has got', () => {
    const { talking, now } = crew({ heard: [hearing('group:4', true)], chosen: 'group:4' });
    now.groups = GROUPS;
    talking.known();
    expect([...talking.radio.heard.keys()]).toEqual(['group:4', 'group:3']);
    expect(talking.radio.heard.get('group:4')?.muted).toBe(true);
    expect(talking.name('group:4')).toBe('Belize City');
    expect(talking.chosen).toBe('group:4');
    now.groups = [...GROUPS, { id: 5, name: 'Coast' }];
    talking.known();
    expect(talking.radio.heard.get('group:5')?.muted).toBe(false);
  });

  it('does not ask a group again and again that refuses', () => {
    const { talking, now, sent } = crew();
    now.groups = GROUPS.slice(0, 1);
    talking.known();
    talking.radio.take({ t: 'voice_gone', group: 'group:3', code: 'not_your_group', text: '', todo: '' }); // prettier-ignore
    talking.known();
    expect(sent.filter(({ t }) => t === 'voice_join')).toHaveLength(1);
  });

  it('leaves after a restart the group of an incident it is no longer sent to', () => {
    const heard = [hearing('incident:12'), hearing('group:3')];
    const { talking, now } = crew({ heard, chosen: 'incident:12' });
    now.groups = GROUPS;
    talking.sent();
    expect([...talking.radio.heard.keys()]).toEqual(['group:3']);
    expect(talking.chosen).toBe('group:3');
  });

  it('talks after a restart where the crew had chosen, if the order is the same', () => {
    const heard = [hearing('incident:12', true), hearing('group:3')];
    const { talking, now } = crew({ heard, chosen: 'group:3' });
    now.groups = GROUPS;
    now.incident = { id: 12, number: 'BPD-26-00012' };
    talking.sent();
    expect(talking.chosen).toBe('group:3');
    expect(talking.radio.heard.get('incident:12')?.muted).toBe(true);
    now.incident = { id: 13, number: 'BPD-26-00013' };
    talking.sent();
    expect(talking.chosen).toBe('incident:13');
  });

  it('is in the group of the incident as long as it is sent there', () => {
    const { talking, now, sent } = crew();
    now.groups = GROUPS;
    talking.known();
    now.incident = { id: 12, number: 'BPD-26-00012' };
    talking.sent();
    talking.sent();
    expect(talking.name('incident:12')).toBe('BPD-26-00012');
    expect([...talking.radio.heard.keys()]).toEqual(['group:3', 'group:4', 'incident:12']);
    now.incident = null;
    talking.sent();
    expect([...talking.radio.heard.keys()]).toEqual(['group:3', 'group:4']);
    const told = sent.filter(({ t }) => t === 'voice_leave');
    expect(told).toHaveLength(1);
  });

  it('is told of talk elsewhere, once where groups are patched, and not of its own', () => {
    const { talking, now } = crew();
    const names = ['JOC', 'Belize City', 'Coast', 'Customs', 'Reef'];
    now.groups = names.map((name, n) => ({ id: n + 3, name }));
    talking.known();
    const talks = (id: number, talker: Address) =>
      talking.radio.take({ t: 'floor', group: `group:${id}`, talker });
    const patched = (one: number, two: number) => {
      const made = { t: 'patched', other_name: '', by: 'person:1', by_name: 'A' } as const;
      talking.radio.take({ ...made, group: `group:${one}`, other: `group:${two}` });
      talking.radio.take({ ...made, group: `group:${two}`, other: `group:${one}` });
    };
    const told = () => talking.elsewhere.map(({ group }) => group);
    expect(talking.chosen).toBe('group:3');
    for (const id of [3, 4]) talks(id, 'unit:7');
    for (const id of [5, 6]) talks(id, 'unit:8');
    talks(7, 'unit:1');
    expect(told()).toEqual(['group:4', 'group:5', 'group:6']);
    patched(3, 4);
    patched(5, 6);
    expect(told()).toEqual(['group:5']);
    talking.toggle('group:5');
    expect(told()).toEqual(['group:6']);
  });

  it('talks in an emergency call while its own emergency is on', () => {
    const heard = [{ group: 'group:4' as const, loudness: 1, muted: false, side: 0 }];
    const { talking, now, sent } = crew({ heard, chosen: 'group:4' });
    now.groups = GROUPS;
    now.emergency = true;
    expect(talking.chosen).toBe('group:4');
    talking.press('key');
    expect(sent.at(-1)).toEqual({ t: 'floor_ask', group: 'group:4', call: 'emergency' });
  });

  it('hears a group again that it had muted, when it is to talk there', () => {
    const heard = [{ group: 'group:3' as const, loudness: 1, muted: true, side: 0 }];
    const { talking, now } = crew({ heard, chosen: null });
    now.groups = GROUPS;
    talking.choose('group:3');
    expect(talking.radio.heard.get('group:3')?.muted).toBe(false);
    talking.toggle('group:3');
    expect(talking.radio.heard.get('group:3')?.muted).toBe(true);
    talking.toggle('group:4');
    expect(talking.radio.heard.has('group:4')).toBe(true);
  });
});
