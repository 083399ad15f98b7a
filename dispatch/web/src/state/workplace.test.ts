import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EVERYTHING } from '../panels/incidents/arrange';
import { Drafts } from './drafts.svelte';
import { Shelf } from './storage';
import { Workplace } from './workplace.svelte';

function storage() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}

const place = { lon: -88.2, lat: 17.5, zoom: 12 };
let browser = storage();

beforeEach(() => {
  browser = storage();
  vi.stubGlobal('sessionStorage', storage());
  vi.stubGlobal('location', { search: '' });
  vi.stubGlobal('addEventListener', () => undefined);
});
afterEach(() => void vi.unstubAllGlobals());

/** Somebody sits down, as after a reload. */
function sit(who: string, work = new Workplace(() => null)): Workplace {
  const shelf = new Shelf(who, browser);
  work.enter(shelf, new Drafts(shelf));
  return work;
}

const arranged = ({ list, filter, panel, view }: Workplace) => ({ list, filter, panel, view });

test('a window comes back as the one who sits there had arranged it, and nobody else', () => {
  const work = sit('person:1');
  work.show('alarms');
  work.choose({ whose: 'mine', phases: [] });
  work.turn('activity');
  work.look(place);
  const his = arranged(work);
  expect(arranged(sit('person:1'))).toEqual(his);
  work.clear();
  const plain = { list: 'units', filter: EVERYTHING, panel: 'messages', view: null };
  expect(arranged(work)).toEqual(plain);
  sit('person:2', work);
  expect(arranged(work)).toEqual(plain);
  work.show('watch');
  work.clear();
  expect(arranged(sit('person:1', work))).toEqual(his);
});

test('an open incident is open again after a reload, and not for the next', () => {
  const work = sit('person:1');
  work.open(7);
  const again = sit('person:1');
  expect([again.incident, again.panel]).toEqual([7, 'incident']);
  again.clear();
  const next = sit('person:2', again);
  expect([next.incident, next.panel]).toEqual([null, 'messages']);
});
