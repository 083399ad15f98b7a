import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeftBehind } from './leftBehind';
import { RollCall } from './rollCall';
import { Shelf, type Place } from './storage';

function storage(): Place {
  const map = new Map<string, string>();
  return {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
    removeItem: (key) => void map.delete(key),
    key: (at) => [...map.keys()][at] ?? null,
    get length() {
      return map.size;
    },
  };
}

const action = (id: string) => ({ id, what: 'unit.status', with: {}, time: 1 });

describe('what a closed window left', () => {
  function desk(place: Place, closed: (windows: readonly string[]) => readonly string[]) {
    const got: string[] = [];
    const say = { kept: true };
    const take = (list: readonly { id: string }[]): boolean => {
      if (list.length === 0) return true;
      got.push(...list.map(({ id }) => id));
      return say.kept;
    };
    const left = new LeftBehind(
      new Shelf('person:9', place, 'here'),
      { closed: (windows) => Promise.resolve([...closed(windows)]) },
      { actions: take, messages: take, reads: () => true },
    );
    return { left, got, say };
  }

  it('is taken over once; what is open or another person’s is left alone', async () => {
    const place = storage();
    new Shelf('person:9', place, 'gone').setOwn('actions', [action('1')]);
    new Shelf('person:9', place, 'gone').setOwn('outbox', [action('2')]);
    new Shelf('person:9', place, 'open').setOwn('actions', [action('3')]);
    new Shelf('person:9', place, 'here').setOwn('actions', [action('4')]);
    new Shelf('person:90', place, 'gone').setOwn('actions', [action('5')]);
    // Of before windows had names.
    new Shelf('person:9', place).setOwn('actions', [action('6')]);
    const { left, got } = desk(place, (windows) => windows.filter((one) => one !== 'open'));
    await left.look();
    await left.look();
    left.stop();
    expect(got.sort()).toEqual(['1', '2', '6']);
    expect(new Shelf('person:9', place, 'open').own('actions')).toEqual([action('3')]);
    expect(new Shelf('person:90', place, 'gone').own('actions')).toEqual([action('5')]);
  });

  it('stays where it is when it cannot be kept here', async () => {
    const place = storage();
    const gone = new Shelf('person:9', place, 'gone');
    gone.setOwn('actions', [action('1')]);
    const { left, say } = desk(place, (windows) => windows);
    say.kept = false;
    await left.look();
    expect(gone.own('actions')).toEqual([action('1')]);
    say.kept = true;
    await left.look();
    left.stop();
    expect(gone.own('actions')).toEqual([]);
  });

  it('is not taken by who has left meanwhile', async () => {
    const place = storage();
    new Shelf('person:9', place, 'gone').setOwn('actions', [action('1')]);
    const { left, got } = desk(place, (windows) => windows);
    const looking = left.look();
    left.stop();
    await looking;
    expect(got).toEqual([]);
  });
});

describe('windows that are asked', () => {
  const open: BroadcastChannel[] = [];
  function at(name: string, who: { me: string | null }): RollCall {
    const channel = new BroadcastChannel('psn:windows');
    open.push(channel);
    return new RollCall(name, channel, () => who.me);
  }
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout'] }));
  afterEach(() => {
    for (const channel of open.splice(0)) channel.close();
    vi.useRealTimers();
  });

  async function closed(one: RollCall, names: string[]): Promise<string[]> {
    const answer = one.closed(names);
    // Real channels between them: their messages take a turn or two of the loop.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    vi.runAllTimers();
    return answer;
  }

  it('answer while the same person is signed in there', async () => {
    const here = at('here', { me: 'person:9' });
    const second = { me: 'person:9' as string | null };
    at('second', second);
    at('other', { me: 'person:3' });
    at('out', { me: null });
    const all = ['second', 'other', 'out', 'gone'];
    expect(await closed(here, all)).toEqual(['other', 'out', 'gone']);
    second.me = null;
    expect(await closed(here, all)).toEqual(all);
  });

  it('are all taken for closed where windows cannot speak to each other', async () => {
    expect(await closed(new RollCall('here', null, () => 'person:9'), ['a'])).toEqual(['a']);
  });
});
