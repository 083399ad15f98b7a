import { SvelteSet } from 'svelte/reactivity';
import { describe, expect, it, vi } from 'vitest';
import type { ClientFrame, ServerFrame } from '../wire/frames';
import type { VoiceAddress } from '../wire/speech';
import { PrivateCalls } from './calls.svelte';

const RINGS = { t: 'called', group: 'call:1', by: 'unit:7', by_name: 'P-901', agency: 1, to: ['person:3', 'person:4'], call: 'normal' } as ServerFrame; // prettier-ignore
const OVER = { t: 'voice_gone', group: 'call:1', code: 'answered_elsewhere', text: 'The call was taken at another place.', todo: 'Talk there.' } as ServerFrame; // prettier-ignore

function desk() {
  const sent: ClientFrame[] = [];
  const joined: string[] = [];
  const heard = new SvelteSet<VoiceAddress>();
  const ring = vi.fn();
  let number = 0;
  const calls = new PrivateCalls(
    { send: (frame) => (sent.push(frame), true), next: () => (number += 1), me: () => 'person:3' },
    {
      heard,
      join: (group) => {
        joined.push(group);
        heard.add(group);
      },
      ring,
    },
  );
  return { calls, sent, joined, heard, ring };
}

describe('a call between some', () => {
  it('rings, and is joined when it is answered', () => {
    const { calls, joined } = desk();
    calls.take(RINGS);
    expect(joined).toEqual([]);
    expect(calls.others('call:1')).toEqual(['unit:7', 'person:4']);
    calls.answer('call:1');
    calls.answer('call:1');
    expect(joined).toEqual(['call:1']);
    expect([calls.ringing.size, calls.within]).toEqual([0, ['call:1']]);
  });

  it('is heard to ring until nobody waits', () => {
    vi.useFakeTimers();
    const { calls, ring } = desk();
    calls.take(RINGS);
    vi.advanceTimersByTime(6_500);
    expect(ring).toHaveBeenCalledTimes(3);
    calls.answer('call:1');
    vi.advanceTimersByTime(10_000);
    expect(ring).toHaveBeenCalledTimes(3);
    calls.take({ ...RINGS, group: 'call:2' } as ServerFrame);
    calls.lost();
    vi.advanceTimersByTime(10_000);
    expect(ring).toHaveBeenCalledTimes(4);
    vi.useRealTimers();
  });

  it('with several, that one has begun, is ended for all', () => {
    const { calls, sent } = desk();
    calls.take({ ...RINGS, group: 'call:3', by: 'person:3', to: ['unit:7'] } as ServerFrame);
    calls.take({
      ...RINGS,
      group: 'call:4',
      by: 'person:3',
      to: ['unit:7', 'unit:8'],
    } as ServerFrame);
    calls.take(RINGS);
    calls.answer('call:1');
    const groups = ['call:1', 'call:3', 'call:4'] as const;
    expect(groups.map((group) => calls.mineWithSeveral(group))).toEqual([false, false, true]);
    calls.close('call:4');
    expect(sent).toEqual([{ t: 'voice_close', n: 1, group: 'call:4' }]);
  });

  it('is declined once', () => {
    const { calls, sent } = desk();
    calls.take(RINGS);
    calls.decline('call:1');
    calls.decline('call:1');
    expect(sent).toEqual([{ t: 'voice_leave', n: 1, group: 'call:1' }]);
  });

  it('rings no more when it was taken elsewhere, and says so', () => {
    const { calls } = desk();
    calls.take(RINGS);
    calls.take(OVER);
    expect(calls.ringing.size).toBe(0);
    expect(calls.told?.code).toBe('answered_elsewhere');
    calls.take({ ...OVER, group: 'group:1' } as ServerFrame);
  });

  it('that nobody answered is told by who called, until one calls him or answers', () => {
    const { calls } = desk();
    const rings = (group: string, by: string) =>
      calls.take({ ...RINGS, group, by, by_name: `P-90${by.slice(-1)}` } as ServerFrame);
    const gone = (group: string, code: string) =>
      calls.take({ ...OVER, group, code } as ServerFrame);
    rings('call:1', 'unit:1');
    rings('call:2', 'unit:2');
    gone('call:1', 'not_answered');
    gone('call:2', 'call_over');
    rings('call:3', 'unit:1');
    gone('call:3', 'not_answered');
    expect(calls.missed.map(({ who }) => who)).toEqual(['P-901', 'P-902']);
    expect(calls.told).toBeNull();
    rings('call:4', 'unit:2');
    calls.answer('call:4');
    expect(calls.missed.map(({ who }) => who)).toEqual(['P-901']);
    calls.take({ ...RINGS, group: 'call:5', by: 'person:3', to: ['unit:1'] } as ServerFrame);
    expect(calls.missed).toEqual([]);
  });

  it('is none that one is in when one has left it, or may not join it', () => {
    const { calls, heard } = desk();
    calls.take(RINGS);
    calls.answer('call:1');
    heard.delete('call:1');
    expect(calls.within).toEqual([]);
    expect(calls.by('call:1')).toBe('P-901');
    calls.take(OVER);
    expect(calls.by('call:1')).toBeUndefined();
  });

  it('of one’s own is heard from the beginning', () => {
    const { calls, sent, joined } = desk();
    calls.call(['unit:7']);
    expect(sent).toEqual([{ t: 'voice_call', n: 1, to: ['unit:7'] }]);
    calls.call(['unit:7'], true);
    expect(sent.at(-1)).toEqual({ t: 'voice_call', n: 2, to: ['unit:7'], by_radio: true });
    calls.take({ ...RINGS, by: 'person:3', to: ['unit:7'], n: 1 } as ServerFrame);
    expect(joined).toEqual(['call:1']);
    expect(calls.others('call:1')).toEqual(['unit:7']);
  });

  it('that is refused says why, and of other refusals nothing', () => {
    const { calls } = desk();
    calls.call(['unit:7']);
    const refusal = { t: 'error', code: 'not_there', text: 'Nobody whom you call is connected.', todo: 'Send a message: it waits for them.' }; // prettier-ignore
    calls.take({ ...refusal, n: 9 } as ServerFrame);
    expect(calls.told).toBeNull();
    calls.take({ ...refusal, n: 1 } as ServerFrame);
    expect(calls.told?.code).toBe('not_there');
  });
});
