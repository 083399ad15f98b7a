import { beforeEach, expect, test } from 'vitest';
import type { Address, Mail, MessageBody, ReceiptState } from '../wire/frames';
import { conversationOf, keyOf, MailBook, reach } from './mail';

const ME: Address = 'person:1';
let book: MailBook;
beforeEach(() => (book = new MailBook(ME)));

function message(change: Partial<MessageBody> = {}): MessageBody {
  return {
    kind: 'message',
    id: 'm1',
    sender: 'person:2',
    sender_name: 'Two',
    to: [ME],
    text: 'hello',
    priority: 'routine',
    time: 1000,
    ...change,
  };
}
const mail = (seq: number, body: Mail['body'], box: Address = ME): Mail => ({
  t: 'mail',
  box,
  seq,
  body,
});
const receipt = (state: ReceiptState, of = ['m1'], by: Address = 'person:2'): Mail['body'] => ({
  kind: 'receipt',
  of,
  by,
  by_name: 'Two',
  state,
  time: 2000,
});

test('a message that stands in two mailboxes is shown once', () => {
  expect(book.take(mail(1, message()), true)).not.toBeNull();
  expect(book.take(mail(9, message(), 'group:3'), true)).toBeNull();
  expect(book.items.size).toBe(1);
  expect(Object.fromEntries(book.cursors)).toEqual({ 'person:1': 1, 'group:3': 9 });
});

test('a resumed entry that comes twice changes nothing, and a cursor never goes back', () => {
  book.take(mail(5, message()), true);
  book.take(mail(5, message()), true);
  book.take(mail(3, message({ id: 'm0' })), true);
  expect(book.cursors.get(ME)).toBe(5);
  expect(book.items.size).toBe(2);
});

test('history moves no cursor and makes nothing unread that was read', () => {
  book.take(mail(5, message()), false);
  expect(book.cursors.size).toBe(0);
  expect(book.conversations()[0]?.unread).toBe(0);
});

test('an emergency alarms although history told of it first', () => {
  book = new MailBook(ME, { cursors: { [ME]: 4 } });
  const emergency = message({ priority: 'emergency' });
  book.take(mail(5, emergency), false);
  expect(book.alarms()).toEqual([]);
  expect(book.take(mail(5, emergency), true)).not.toBeNull();
  expect(book.alarms().map(({ id }) => id)).toEqual(['m1']);
  book.markRead('m1');
  book.take(mail(9, emergency, 'group:3'), true);
  book.take(mail(5, emergency), true);
  expect(book.alarms()).toEqual([]);
});

test('what a new page catches up on alarms, though history has come that far already', () => {
  for (const seq of [46, 47, 48]) {
    book.take(mail(seq, message({ id: `m${seq}`, priority: 'emergency' })), false);
  }
  book.take(mail(46, message({ id: 'm46', priority: 'emergency' })), true);
  book.take(mail(47, message({ id: 'm47', priority: 'emergency' })), true);
  book.begin(ME, 48);
  expect(book.alarms().map(({ id }) => id)).toEqual(['m46', 'm47']);
  expect(book.cursors.get(ME)).toBe(47);
  book.begin('agency:1', 9);
  expect(book.cursors.get('agency:1')).toBe(9);
});

test('what was seen before a reload does not alarm again', () => {
  book = new MailBook(ME, { cursors: { [ME]: 5 } });
  book.take(mail(5, message({ priority: 'emergency' })), false);
  book.take(mail(5, message({ priority: 'emergency' })), true);
  expect(book.alarms()).toEqual([]);
});

test('an entry too far ahead is told from the next one', () => {
  expect(book.jumps(mail(7, message()))).toBe(false);
  book.take(mail(7, message()), true);
  expect(book.jumps(mail(7, message()))).toBe(false);
  expect(book.jumps(mail(8, message()))).toBe(false);
  expect(book.jumps(mail(9, message()))).toBe(true);
});

test('what was unread before a reload is unread after it', () => {
  const again = new MailBook(ME, { unread: ['m1'], cursors: { [ME]: 5 } });
  again.take(mail(5, message({ priority: 'emergency' })), false);
  expect(again.alarms().map(({ id }) => id)).toEqual(['m1']);
});

test('a written message goes from queued to sent to delivered to read, and not back', () => {
  const item = book.write(
    { id: 'm1', to: ['person:2'], text: 'x', priority: 'routine', time: 1 },
    'Me',
  );
  expect(item.progress).toBe('queued');
  book.acked('m1', 5);
  expect(item.progress).toBe('sent');
  book.take(mail(1, message({ sender: ME, to: ['person:2'] })), true);
  book.take(mail(2, receipt('delivered')), true);
  expect(reach(item).delivered).toHaveLength(1);
  book.take(mail(3, receipt('read')), true);
  book.take(mail(4, receipt('delivered')), true);
  expect(reach(item)).toMatchObject({ delivered: [], read: [{ name: 'Two' }] });
});

test('the copy in the own mailbox counts as the acknowledgement that was lost', () => {
  const item = book.write(
    { id: 'm1', to: ['person:2'], text: 'x', priority: 'routine', time: 1 },
    'Me',
  );
  book.take(mail(1, message({ sender: ME, to: ['person:2'], time: 77 })), true);
  expect(item).toMatchObject({ progress: 'sent', time: 77, unread: false });
});

test('a receipt may come before its message', () => {
  book.take(mail(8, receipt('read')), false);
  book.take(mail(7, message({ sender: ME, to: ['person:2'] })), false);
  expect(reach(book.items.get('m1')!).read).toHaveLength(1);
});

test('reading names one place, once', () => {
  book.take(mail(4, message()), true);
  expect(book.markRead('m1')).toEqual({ box: ME, seq: 4 });
  expect(book.markRead('m1')).toBeNull();
  expect(book.markRead('nobody')).toBeNull();
});

test('a refused message can be discarded, a sent one cannot', () => {
  book.write({ id: 'm1', to: ['person:2'], text: 'x', priority: 'routine', time: 1 }, 'Me');
  book.refused('m1', 'You may not write there.');
  expect(book.items.get('m1')).toMatchObject({
    progress: 'refused',
    problem: 'You may not write there.',
  });
  book.discard('m1');
  expect(book.items.size).toBe(0);
  book.take(mail(1, message()), true);
  book.discard('m1');
  expect(book.items.size).toBe(1);
});

test.each<[Address, Address[], Address[]]>([
  ['person:2', [ME], ['person:2']],
  [ME, ['unit:7'], ['unit:7']],
  ['person:2', ['group:1'], ['group:1']],
  ['unit:7', ['agency:1'], ['agency:1']],
  ['person:2', [ME, 'person:3'], ['person:2', 'person:3']],
  [ME, ['person:3', 'person:2'], ['person:2', 'person:3']],
])('from %s to %j stands in the conversation with %j', (sender, to, expected) => {
  expect(conversationOf(ME, sender, to)).toEqual(expected);
});

test('the key of a conversation does not depend on the order', () => {
  expect(keyOf(['unit:7', 'group:1'])).toBe(keyOf(['group:1', 'unit:7']));
});

test('conversations come newest first, their messages oldest first', () => {
  book.take(mail(1, message({ id: 'a', time: 10 })), true);
  book.take(mail(2, message({ id: 'b', sender: 'unit:7', time: 20 })), true);
  book.take(mail(3, message({ id: 'c', time: 30 })), true);
  const all = book.conversations();
  expect(all.map(({ key }) => key)).toEqual(['person:2', 'unit:7']);
  expect(all[0]?.items.map(({ id }) => id)).toEqual(['a', 'c']);
  expect(all[0]?.unread).toBe(2);
});

test('who wrote or received has a name, whatever the roster says later', () => {
  book.write({ id: 'm1', to: ['person:2'], text: 'x', priority: 'routine', time: 1 }, 'Me');
  expect(book.names.get('person:2')).toBeUndefined();
  book.take(mail(1, receipt('delivered')), true);
  book.take(mail(2, message({ id: 'm2', sender: 'unit:7', sender_name: 'B-1' })), true);
  expect(Object.fromEntries(book.names)).toEqual({ 'person:2': 'Two', 'unit:7': 'B-1' });
});

test('an order that came too late is told as such, and reading it later counts', () => {
  const item = book.write(
    { id: 'm1', to: ['person:2'], text: 'x', priority: 'routine', time: 1 },
    'Me',
  );
  book.take(mail(1, receipt('expired')), true);
  expect(reach(item).expired.map(({ name }) => name)).toEqual(['Two']);
  book.take(mail(2, receipt('read')), true);
  expect(reach(item).read.length).toBe(1);
});

test('what waits to be sent stands last, whatever the clocks say', () => {
  const write = (id: string, time: number): void => {
    book.write({ id, to: ['person:2'], text: id, priority: 'routine', time }, 'Me');
  };
  write('a', 10);
  write('b', 20);
  book.acked('a', 5_000);
  const [one] = book.conversations();
  expect(one?.items.map(({ id }) => id)).toEqual(['a', 'b']);
  expect(one?.last.id).toBe('b');
});
