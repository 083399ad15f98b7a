import { expect, test } from 'vitest';
import type { Alarm, AlarmKind, BoardItem } from '../../wire/items';
import { alarmText, target, unreached, type Known } from './about';
import { alarmsOf, byGravity, waitingOf } from './open';

const items = new Map<string, BoardItem>();
const put = (item: BoardItem): void => void items.set(`${item.is}:${item.id}`, item);
put({ is: 'incident', id: 5, agency: 1, number: 'BPD-26-00005', title: 'Fire', priority: 1, phase: 'waiting', opened: 0, agencies: [1], units: [] }); // prettier-ignore
put({ is: 'assignment', id: 6, incident: 5, unit: 7, agency: 1, order: '', ordered: 0, ordered_by: '', contact: 0 }); // prettier-ignore
put({ is: 'welfare', id: 8, unit: 7, agency: 1, every: 60, due: 0 });
put({ is: 'invitation', id: 9, incident: 4, incident_number: 'CED-26-00001', title: 'Road block', place: '', priority: 3, agency: 1, from_agency: 3, text: '', at: 0 }); // prettier-ignore
put({ is: 'reminder', id: 2, agency: 1, text: 'Call back', due: 0, incident: 5 });

const known: Known = {
  item: (address) => items.get(address),
  unit: (id) => (id === 7 ? 'P-7' : undefined),
  agency: (id) => `Agency ${id}`,
  fence: (id) => (id === 1 ? 'San Pedro' : undefined),
};
const alarm = (kind: AlarmKind, about: string, change: Partial<Alarm> = {}): Alarm => ({
  is: 'alarm',
  id: 1,
  agency: 1,
  kind,
  about,
  raised: 0,
  ...change,
});

test('an alarm says what it is about, and where to look', () => {
  const idle = alarm('incident_unassigned', 'incident:5');
  expect(alarmText(idle, known)).toBe('Nobody is sent to Fire (BPD-26-00005).');
  expect(target(idle, known)).toEqual({ kind: 'incident', id: 5 });
  const late = alarm('order_unacknowledged', 'assignment:6');
  expect(alarmText(late, known)).toMatch(/^P-7 \(BPD-26-00005\) has not acknowledged/);
  expect(target(late, known)).toEqual({ kind: 'incident', id: 5 });
  expect(target(alarm('welfare_overdue', 'welfare:8'), known)).toEqual({ kind: 'unit', id: 7 });
  expect(alarmText(alarm('reminder', 'reminder:2'), known)).toBe('Reminder: Call back');
  expect(alarmText(alarm('invitation_unanswered', 'invitation:9'), known)).toContain('Road block');
});

test('an order that cannot be delivered is told so, and whose crew is to be reached', () => {
  const late = alarm('order_undelivered', 'assignment:6');
  expect(alarmText(late, known)).toContain('has not reached P-7');
  put({ is: 'assignment', id: 66, incident: 5, unit: 7, agency: 1, order: '', ordered: 0, ordered_by: '', contact: 0, refused: 1, refusal: 'id_taken' }); // prettier-ignore
  const lost = alarm('order_undelivered', 'assignment:66');
  expect(alarmText(lost, known)).toMatch(/^P-7 \(BPD-26-00005\): The order cannot be delivered/);
  expect(unreached(lost, known)?.id).toBe(66);
  expect(unreached(alarm('no_contact', 'assignment:66'), known)).toBeNull();
});

test('what the alarm brings with it is told too', () => {
  const declined = alarm('order_declined', 'assignment:99', {
    details: { unit: 7, incident: 5, reason: 'flat tyre' },
  });
  expect(alarmText(declined, known)).toBe('P-7 cannot do what it was ordered. “flat tyre”');
  expect(target(declined, known)).toEqual({ kind: 'incident', id: 5 });
  const fence = alarm('fence', 'fence_rule:3/unit:7', {
    details: { unit: 7, fence: 1, what: 'out', at: 0 },
  });
  expect(alarmText(fence, known)).toBe('P-7 has left San Pedro.');
  expect(target(fence, known)).toEqual({ kind: 'unit', id: 7 });
  const answered = alarm('invitation_answered', 'invitation:1', {
    details: { agency: 3, answer: 'offered', text: 'a boat', incident: 5 },
  });
  expect(alarmText(answered, known)).toBe('Answered: Agency 3 offers something else. a boat');
});

test('what has gone meanwhile is still told', () => {
  expect(alarmText(alarm('call_unanswered', 'call:77'), known)).toBe('Nobody has taken a call.');
  expect(alarmText(alarm('order_undelivered', 'assignment:77'), known)).toContain('a unit');
  expect(target(alarm('welfare_overdue', 'welfare:77'), known)).toBeNull();
});

test('what nobody has taken comes first, the supervisor’s before the rest', () => {
  const all: BoardItem[] = [
    alarm('fence', 'x', { id: 1, raised: 1, taken: 5 }),
    alarm('fence', 'x', { id: 2, raised: 3 }),
    alarm('fence', 'x', { id: 3, raised: 9, level: 2 }),
    ...items.values(),
  ];
  const board = { all: (is: string) => all.filter((each) => each.is === is) } as Parameters<
    typeof alarmsOf
  >[0];
  expect(alarmsOf(board).map(({ id }) => id)).toEqual([3, 2, 1]);
  expect(waitingOf(board, 1)).toBe(3);
  expect(waitingOf(board, 2)).toBe(2);
});

test('the gravest comes before what is only older, unless that has gone to the supervisor', () => {
  const all = [
    alarm('reminder', 'x', { id: 1, raised: 1 }),
    alarm('overdue_on_scene', 'x', { id: 2, raised: 2 }),
    alarm('incident_unassigned', 'x', { id: 3, raised: 3 }),
    alarm('welfare_overdue', 'x', { id: 4, raised: 9 }),
    alarm('order_undelivered', 'x', { id: 5, raised: 8 }),
    alarm('incident_unassigned', 'x', { id: 6, raised: 7, level: 2 }),
    alarm('emergency_unowned', 'x', { id: 7, raised: 0, taken: 5 }),
  ];
  expect(all.sort(byGravity).map(({ id }) => id)).toEqual([6, 5, 4, 3, 2, 1, 7]);
});
