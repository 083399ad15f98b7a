import type { Address, Mail, MessageBody, Priority, ReceiptState } from '../wire/frames';

/** What became of a message that was written here; `received` for those of others. */
export type Progress = 'received' | 'queued' | 'sent' | 'refused';

export interface Receipt {
  name: string;
  state: ReceiptState;
  time: number;
}

/** One message as the console shows it: once, though it may lie in several mailboxes. */
export interface Item {
  id: string;
  sender: Address;
  senderName: string;
  to: Address[];
  text: string;
  priority: Priority;
  time: number;
  expires: number | null;
  progress: Progress;
  problem: string | null;
  unread: boolean;
  /** Whether it came over the wire since this page was opened, or was written here. */
  heard: boolean;
  receipts: Map<Address, Receipt>;
  places: Map<Address, number>;
}

export interface Conversation {
  key: string;
  with: Address[];
  items: Item[];
  last: Item;
  unread: number;
}

const RANK: Record<ReceiptState, number> = { expired: 1, delivered: 1, read: 2 };

/** The conversation of a message: the one group, unit, agency or person it concerns, or several. */
export function conversationOf(me: Address, sender: Address, to: readonly Address[]): Address[] {
  const others = to.filter((address) => address !== me);
  if (others.length === 0) return [sender];
  if (others.length === 1 && (sender === me || !others[0]?.startsWith('person:'))) return others;
  const all = new Set(sender === me ? others : [sender, ...others]);
  return [...all].sort();
}

/** One text for a set of addresses, the same in any order. */
export function keyOf(addresses: readonly Address[]): string {
  return [...addresses].sort().join(' ');
}

/**
 * The messages of one account, put together from mailbox entries that may come twice, late, and
 * through several mailboxes. No clock, no network, no storage.
 */
export class MailBook {
  readonly items = new Map<string, Item>();
  /** Newest sequence seen in each mailbox; what `sign_in.seen` says. */
  readonly cursors = new Map<Address, number>();
  /** Oldest sequence loaded of each mailbox, for going further back. */
  readonly floors = new Map<Address, number>();
  readonly unread: Set<string>;
  /** Names of those who wrote or received: they hold also when the roster knows them no more. */
  readonly names = new Map<Address, string>();
  #early = new Map<string, Map<Address, Receipt>>();
  /** Read in another window before they came here. */
  #readEarly = new Set<string>();

  constructor(
    readonly me: Address,
    kept: { cursors?: Record<string, number>; unread?: readonly string[] } = {},
  ) {
    this.unread = new Set(kept.unread);
    for (const [box, seq] of Object.entries(kept.cursors ?? {})) {
      this.cursors.set(box as Address, seq);
    }
  }

  /** Be at this place of a mailbox, if nowhere yet. */
  begin(box: Address, seq: number): void {
    if (!this.cursors.has(box)) this.cursors.set(box, seq);
  }

  /** Whether entries before this one are missing: a server or a line that cannot be trusted now. */
  jumps({ box, seq }: Mail): boolean {
    const cursor = this.cursors.get(box);
    return cursor !== undefined && seq > cursor + 1;
  }

  /**
   * Take one mailbox entry, from the wire (`live`) or from history. Gives the item when it is a
   * message that was not heard of before.
   */
  take(mail: Mail, live: boolean): Item | null {
    const { box, seq, body } = mail;
    const fresh = live && seq > (this.cursors.get(box) ?? -1);
    if (live) this.cursors.set(box, Math.max(seq, this.cursors.get(box) ?? 0));
    this.floors.set(box, Math.min(seq, this.floors.get(box) ?? seq));
    if (body.kind === 'receipt') {
      const receipt = { name: body.by_name, state: body.state, time: body.time };
      for (const id of body.of) this.receipt(id, body.by, receipt);
      return null;
    }
    if (body.kind !== 'message') return null;
    const known = this.items.get(body.id);
    if (known) {
      known.places.set(box, seq);
      if (known.progress === 'queued' || known.progress === 'refused')
        this.acked(body.id, body.time);
      // History, which is asked for at the same time, may have told of it before the wire did.
      return fresh && !known.heard ? this.#hear(known) : null;
    }
    const item = this.#add(body, box, seq);
    return live ? this.#hear(item) : item;
  }

  /** It came over the wire for the first time: whoever sits here has not seen it. */
  #hear(item: Item): Item {
    item.heard = true;
    if (item.sender !== this.me && !this.#readEarly.delete(item.id)) {
      item.unread = true;
      this.unread.add(item.id);
    }
    return item;
  }

  #add(body: MessageBody, box: Address, seq: number): Item {
    const mine = body.sender === this.me;
    this.names.set(body.sender, body.sender_name);
    const item: Item = {
      id: body.id,
      sender: body.sender,
      senderName: body.sender_name,
      to: body.to,
      text: body.text,
      priority: body.priority ?? 'routine',
      time: body.time,
      expires: body.expires ?? null,
      progress: mine ? 'sent' : 'received',
      problem: null,
      unread: !mine && this.unread.has(body.id),
      heard: false,
      receipts: this.#early.get(body.id) ?? new Map<Address, Receipt>(),
      places: new Map([[box, seq]]),
    };
    this.#early.delete(body.id);
    this.items.set(item.id, item);
    return item;
  }

  /** A message written here, not yet acknowledged. */
  write(message: Pick<Item, 'id' | 'to' | 'text' | 'priority' | 'time'>, name: string): Item {
    const item: Item = {
      ...message,
      sender: this.me,
      senderName: name,
      expires: null,
      progress: 'queued',
      problem: null,
      unread: false,
      heard: true,
      receipts: new Map(),
      places: new Map(),
    };
    this.items.set(item.id, item);
    return item;
  }

  /** The server has committed a message of ours. */
  acked(id: string, time: number): void {
    const item = this.items.get(id);
    if (!item || item.progress === 'received') return;
    item.progress = 'sent';
    item.problem = null;
    item.time = time;
  }

  /** The server refused a message of ours, or will take it later (`problem` is null). */
  refused(id: string, problem: string): void {
    const item = this.items.get(id);
    if (!item || item.progress === 'sent' || item.progress === 'received') return;
    item.progress = 'refused';
    item.problem = problem;
  }

  /** Forget a refused message. */
  discard(id: string): void {
    if (this.items.get(id)?.progress === 'refused') this.items.delete(id);
  }

  /** Someone's receipt; `read` is never taken back by a late `delivered`. */
  receipt(id: string, by: Address, receipt: Receipt): void {
    if (by === this.me) return;
    this.names.set(by, receipt.name);
    const item = this.items.get(id);
    const receipts = item?.receipts ?? this.#early.get(id) ?? new Map<Address, Receipt>();
    const before = receipts.get(by);
    if (!before || RANK[receipt.state] > RANK[before.state]) receipts.set(by, receipt);
    if (!item) this.#early.set(id, receipts);
  }

  /** Mark as read; gives one place of it for the `read` frame, if it was unread. */
  markRead(id: string): { box: Address; seq: number } | null {
    const item = this.items.get(id);
    if (!item?.unread) return null;
    item.unread = false;
    this.unread.delete(id);
    const [place] = item.places;
    return place ? { box: place[0], seq: place[1] } : null;
  }

  /** Read in another window of the same person, perhaps before it has come here. */
  readElsewhere(id: string): void {
    if (!this.items.get(id)?.heard) this.#readEarly.add(id);
    this.markRead(id);
    this.unread.delete(id);
  }

  /** Conversations, the newest first; within each the oldest message first. */
  conversations(): Conversation[] {
    const found = new Map<string, Conversation>();
    for (const item of this.items.values()) {
      const addresses = conversationOf(this.me, item.sender, item.to);
      const key = keyOf(addresses);
      const one = found.get(key);
      if (!one) {
        found.set(key, {
          key,
          with: addresses,
          items: [item],
          last: item,
          unread: item.unread ? 1 : 0,
        });
        continue;
      }
      one.items.push(item);
      if (inOrder(one.last, item) <= 0) one.last = item;
      if (item.unread) one.unread += 1;
    }
    for (const one of found.values()) one.items.sort(inOrder);
    return [...found.values()].sort((a, b) => b.last.time - a.last.time);
  }

  /** Emergencies of others that nobody has acknowledged at this console, the oldest first. */
  alarms(): Item[] {
    return [...this.unread]
      .map((id) => this.items.get(id))
      .filter((item): item is Item => item?.priority === 'emergency')
      .sort((a, b) => a.time - b.time);
  }
}

/** By the server's time; what has none yet comes after everything that has. */
function inOrder(a: Item, b: Item): number {
  const waits = (item: Item): number => (item.progress === 'queued' ? 1 : 0);
  return waits(a) - waits(b) || a.time - b.time;
}

/** How far a sent message got: the words under it. */
export function reach(item: Item): Record<ReceiptState, Receipt[]> {
  const all = [...item.receipts.values()];
  return {
    delivered: all.filter((receipt) => receipt.state === 'delivered'),
    read: all.filter((receipt) => receipt.state === 'read'),
    expired: all.filter((receipt) => receipt.state === 'expired'),
  };
}
