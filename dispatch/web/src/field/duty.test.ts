import { expect, test } from 'vitest';
import type { Action } from '../state/actions';
import type { BoardItem, Incident } from '../wire/items';
import { dutyOf, following, saidIn, stepOf, type Order } from './duty';

const assignment = (id: number, unit: number, more = {}): BoardItem => ({
  is: 'assignment',
  id,
  incident: 5,
  unit,
  agency: 1,
  order: 'o',
  ordered: 1_000,
  ordered_by: 'person:1',
  contact: 1_000,
  ...more,
});
const BOARD: BoardItem[] = [
  { is: 'unit', id: 7, status: 'ordered', since: 1_000, assignment: 12, incident: 5 },
  assignment(11, 7, { ended: 900, outcome: 'cleared' }),
  assignment(12, 7),
  assignment(13, 8, { acknowledged: 1_200, en_route: 1_300 }),
  {
    is: 'incident',
    id: 5,
    agency: 1,
    number: 'BPD-1',
    title: 'Fire',
    priority: 1,
    phase: 'ordered',
    opened: 900,
    agencies: [1],
    units: [7, 8],
  },
];
const said = (status: string, time: number): Action => ({
  id: `a${time}`,
  what: 'unit.status',
  with: { status, assignment: 12, at: time },
  time,
});

test('the order that has not ended, its incident, and who else is there', () => {
  const { now, order } = dutyOf(7, BOARD, []);
  expect(now).toEqual({ status: 'ordered', since: 1_000, waiting: false });
  expect(order?.assignment.id).toBe(12);
  expect(order?.incident?.number).toBe('BPD-1');
  expect(order?.others.map(stepOf)).toEqual(['en_route']);
});

test('what was said in a dead spot is so here at once, and nothing before', () => {
  const waiting = [said('acknowledged', 2_000), said('on_scene', 3_000)];
  expect(dutyOf(7, BOARD, waiting).now).toEqual({
    status: 'on_scene',
    since: 3_000,
    waiting: true,
  });
});

test.each([
  [said('clear', 4_000)],
  [{ id: 'd', what: 'assignment.decline', with: { assignment: 12, reason: 'x' }, time: 4_000 }],
])('%j: the order is over here', (action) => {
  const { now, order } = dutyOf(7, BOARD, [action]);
  expect(now.status).toBe('available');
  expect(order).toBeNull();
});

test('a late word about an older order does not end this one', () => {
  const late = { ...said('clear', 4_000), with: { status: 'clear', assignment: 11 } };
  const { now, order } = dutyOf(7, BOARD, [late]);
  expect(order?.assignment.id).toBe(12);
  expect(now.status).toBe('ordered');
});

test('what may follow', () => {
  expect(following('available')).toEqual(['busy', 'out_of_service', 'off_duty']);
  expect(following('ordered')).toEqual(['acknowledged', 'en_route', 'on_scene', 'clear']);
  expect(following('on_scene')).toEqual(['clear']);
});

test('nothing is known yet', () => {
  expect(dutyOf(7, [], []).order).toBeNull();
});

test('what was said to the crew stands behind the head of the order', () => {
  const order = (more: Partial<Incident> = {}, goTo = ''): Order => {
    const board = BOARD.map((item): BoardItem => {
      if (item.is === 'incident') return { ...item, ...more };
      return item.is === 'assignment' && goTo ? { ...item, place: goTo } : item;
    });
    const found = dutyOf(7, board, []).order;
    if (!found) throw new Error('There is an order.');
    return found;
  };
  const head = 'BPD-1 P1 Fire';
  const details = 'Two floors.\nGas in the yard.';
  expect(saidIn(`${head}\nCome from the north.\nNo siren.`, order({ details }))).toBe(
    'Come from the north.\nNo siren.',
  );
  expect(saidIn(`${head}\nQueen Street\nNo siren.`, order({ place: 'Queen Street' }))).toBe(
    'No siren.',
  );
  // The incident's place was corrected since: what leads elsewhere ends the head all the same.
  const elsewhere = order({ place: 'King Street' }, 'Swing Bridge');
  expect(saidIn(`${head}\nQueen Street\nGo to: Swing Bridge\nNo siren.`, elsewhere)).toBe(
    'No siren.',
  );
  expect(saidIn(`${head}\n${details}`, order({ details }))).toBe('');
  expect(saidIn(`${head}\nTwo fl… (more is in the incident)`, order({ details }))).toBe('');
  expect(saidIn(head, order())).toBe('');
  expect(saidIn('', order({ details }))).toBe('');
});
