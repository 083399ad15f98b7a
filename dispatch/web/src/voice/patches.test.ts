import { expect, it, vi } from 'vitest';
import type { ClientFrame } from '../wire/frames';
import { Patches } from './patches.svelte';

function patches() {
  const sent: ClientFrame[] = [];
  const refused: string[] = [];
  const heard = vi.fn();
  let n = 0;
  const line = {
    send: (frame: ClientFrame) => (sent.push(frame), true),
    next: () => (n += 1),
    me: () => 'person:1' as const,
  };
  return { made: new Patches(line, ({ code }) => refused.push(code), heard), sent, refused, heard };
}

const told = { t: 'patched', group: 'group:1', other: 'incident:5', other_name: 'I-5' } as const;

it('what is told of patches holds until it is told otherwise, or the line is lost', () => {
  const { made } = patches();
  made.take(told);
  expect(made.of('group:1')?.other).toBe('incident:5');
  expect(made.of('incident:5')).toBeUndefined();
  made.take({ t: 'patched', group: 'group:1' });
  expect(made.of('group:1')).toBeUndefined();
  made.take(told);
  made.forget('group:1');
  expect(made.of('group:1')).toBeUndefined();
  made.take(told);
  made.lost();
  expect(made.of('group:1')).toBeUndefined();
});

it('only what was asked for here is refused here', () => {
  const { made, sent, refused } = patches();
  made.join('group:1', 'group:2');
  made.part('group:1');
  expect(sent).toEqual([
    { t: 'voice_patch', n: 1, groups: ['group:1', 'group:2'] },
    { t: 'voice_unpatch', n: 2, group: 'group:1' },
  ]);
  made.take({ t: 'error', n: 7, code: 'x', text: 'Another.', todo: '' });
  made.take({ t: 'ok', n: 2 });
  made.take({ t: 'error', n: 2, code: 'x', text: 'Late.', todo: '' });
  made.take({ t: 'error', n: 1, code: 'hear_both_first', text: 'Mine.', todo: '' });
  expect(refused).toEqual(['hear_both_first']);
});

it('what somebody else has joined is told and heard once, and is no news after a lost line', () => {
  const { made, heard } = patches();
  made.take({ ...told, by: 'person:1', by_name: 'Oneself' });
  expect([made.news.now, heard.mock.calls.length]).toEqual([null, 0]);
  made.forget('group:1');
  const theirs = { ...told, by: 'person:2', by_name: 'A. Castillo' } as const;
  made.take(theirs);
  made.take({ ...theirs, group: 'incident:5', other: 'group:1' });
  expect(made.news.now?.group).toBe('group:1');
  expect(heard).toHaveBeenCalledOnce();
  made.lost();
  made.lost();
  made.take(theirs);
  expect(heard).toHaveBeenCalledOnce();
  made.news.forget();
});

it('that groups are parted is told and heard once, unless one parts them oneself or goes', () => {
  const { made, heard } = patches();
  const other = { ...told, group: 'incident:5', other: 'group:1', other_name: 'Sea' } as const;
  made.take(told);
  made.take(other);
  heard.mockClear();
  made.take({ t: 'patched', group: 'group:1' });
  made.take({ t: 'patched', group: 'incident:5' });
  expect(made.news.now).toMatchObject({ group: 'group:1', other_name: 'I-5', over: true });
  expect(heard).toHaveBeenCalledOnce();
  // Joined anew, that is the news.
  made.take(told);
  made.take(other);
  expect(made.news.now?.over).toBeUndefined();
  made.news.forget();
  heard.mockClear();
  made.part('incident:5');
  made.take({ t: 'patched', group: 'group:1' });
  made.take({ t: 'patched', group: 'incident:5' });
  made.take(told);
  made.news.forget();
  made.forget('group:1');
  expect([made.news.now, heard.mock.calls.length]).toEqual([null, 1]);
});
