import {
  MAX_READ,
  type Address,
  type ClientFrame,
  type Mail,
  type Priority,
  type ReceiptState,
  type ServerFrame,
  type SignedIn,
} from '../wire/frames';
import type { Answer } from './http';
import { MailBook, type Conversation, type Item } from './mail';
import { newId, Outbox, type Waiting } from './outbox';
import type { Shelf } from './storage';

export interface Draft {
  text: string;
  priority: Priority;
  to?: Address[];
}

export interface Post {
  send(frame: ClientFrame): boolean;
  next(): number;
  /** Leave this connection, and come back with what was seen. */
  resume(): void;
  live(): boolean;
  now(): number;
  get<T>(path: string): Promise<Answer<T>>;
}

interface ApiReceipt {
  by: Address;
  by_name: string;
  state: ReceiptState;
  time: number;
}

const SEEN_EVERY = 50;
const HISTORY = 100;
const EMPTY: Draft = { text: '', priority: 'routine' };

/** The account's messages: the book, what waits to be sent, drafts, and marks of seen and read. */
export class Mailroom {
  readonly book: MailBook;
  #version = $state(0);
  /** False when the browser could not keep the last unsent message. */
  kept = $state(true);
  /** The server cannot store messages now; they are sent again until it can. */
  delayed = $state(false);
  #outbox: Outbox;
  #drafts: Record<string, Draft>;
  #post: Post;
  #shelf: Shelf;
  #name: string;
  #seen = new Map<Address, number>();
  /** Newest sequence of each mailbox when this page signed in. */
  #heads: Readonly<Record<string, number>> = {};
  #reads: { box: Address; seq: number }[];
  #readsUnderWay = new Map<number, { box: Address; seqs: number[] }>();
  #timers: { seen?: number; save?: number; hold?: number } = {};
  #complete = new Set<Address>();
  #asked = new Set<string>();

  constructor(account: Pick<SignedIn, 'me' | 'name'>, shelf: Shelf, post: Post) {
    this.#post = post;
    this.#shelf = shelf;
    this.#name = account.name;
    this.book = new MailBook(account.me, {
      cursors: shelf.get<Record<string, number>>('cursors', {}),
      unread: shelf.get<string[]>('unread', []),
    });
    this.#outbox = new Outbox(shelf.get<Waiting[]>('outbox', []));
    this.#drafts = shelf.get<Record<string, Draft>>('drafts', {});
    this.#reads = shelf.get<{ box: Address; seq: number }[]>('reads', []);
    for (const waiting of this.#outbox.waiting) {
      this.book.write(waiting, account.name);
      if (waiting.problem) this.book.refused(waiting.id, waiting.problem);
    }
  }

  conversations = $derived.by<Conversation[]>(() => (this.#version, this.book.conversations()));
  alarms = $derived.by<Item[]>(() => (this.#version, this.book.alarms()));
  unread = $derived(this.conversations.reduce((sum, one) => sum + one.unread, 0));
  waiting = $derived.by(
    () => (this.#version, this.#outbox.waiting.filter((one) => !one.problem).length),
  );
  canGoBack = $derived.by(
    () => (
      this.#version,
      [...this.book.floors].some(([box, seq]) => seq > 1 && !this.#complete.has(box))
    ),
  );

  /** The name someone wrote or received under, if there was anything. */
  name(address: Address): string | undefined {
    return (this.#version, this.book.names.get(address));
  }

  take(frame: ServerFrame): void {
    switch (frame.t) {
      case 'mail':
        if (this.book.jumps(frame)) {
          this.#post.resume();
          return;
        }
        this.book.take(frame, true);
        if (this.book.items.has(idOf(frame))) this.#gone(idOf(frame));
        this.#noteSeen(frame.box);
        break;
      case 'caught_up':
        // Whatever this page had no place in, it has now through what was the newest at sign-in.
        for (const [box, head] of Object.entries(this.#heads))
          this.book.begin(box as Address, head);
        break;
      case 'ack':
        this.book.acked(frame.id, frame.time);
        this.delayed = false;
        this.#gone(frame.id);
        break;
      case 'error':
        if (frame.id) this.#refused(frame.id, `${frame.text} ${frame.todo}`, frame.retry ?? null);
        if (frame.n != null) this.#readsUnderWay.delete(frame.n);
        break;
      case 'ok':
        this.#readDone(frame.n);
        return;
      case 'history_gone':
        this.book.cursors.set(frame.box, frame.floor - 1);
        void this.loadHistory([frame.box]);
        break;
      default:
        return;
    }
    this.#changed();
  }

  /** After every sign-in: what waited goes out again, in order; ids make that safe. */
  resumed(heads: Readonly<Record<string, number>>): void {
    this.#heads = heads;
    this.#readsUnderWay.clear();
    this.#sendAll();
    this.#sendReads();
    const boxes = Object.keys(heads) as Address[];
    void this.loadHistory(boxes.filter((box) => !this.book.floors.has(box)));
  }

  #sendAll(): void {
    clearTimeout(this.#timers.hold);
    delete this.#timers.hold;
    if (!this.#post.live()) return;
    for (const waiting of this.#outbox.waiting) {
      if (!waiting.problem) this.#post.send(Outbox.frame(waiting));
    }
  }

  /** The newest entries of mailboxes, or those before the oldest that is known. */
  async loadHistory(boxes: readonly Address[], before = false): Promise<void> {
    await Promise.all(
      boxes.map(async (box) => {
        const floor = this.book.floors.get(box);
        const older = before && floor !== undefined ? `&before=${floor}` : '';
        const answer = await this.#post.get<{ entries: Mail[] }>(
          `/api/mailboxes/${box}?limit=${HISTORY}${older}`,
        );
        if (!answer.ok) return;
        for (const entry of answer.value.entries) this.book.take(entry, false);
        if (answer.value.entries.length < HISTORY) this.#complete.add(box);
      }),
    );
    this.#changed();
  }

  /**
   * Ask for the receipts of own messages that are known from a group's mailbox only: receipts lie
   * in the own one, which may not be loaded so far back.
   */
  async completeReceipts(items: readonly Item[]): Promise<void> {
    const me = this.book.me;
    const wanted = items.filter(
      ({ id, sender, places }) => sender === me && !places.has(me) && !this.#asked.has(id),
    );
    for (const { id, progress } of wanted) {
      if (progress !== 'sent' || this.#asked.has(id)) continue;
      this.#asked.add(id);
      const answer = await this.#post.get<{ receipts: ApiReceipt[] }>(
        `/api/messages/${id}/receipts`,
      );
      if (!answer.ok) {
        this.#asked.delete(id);
        return;
      }
      for (const { by, by_name: name, state, time } of answer.value.receipts) {
        this.book.receipt(id, by, { name, state, time });
      }
      this.#changed();
    }
  }

  async loadEarlier(): Promise<void> {
    await this.loadHistory([...this.book.floors.keys()], true);
  }

  /** Write a message: kept first, then sent. */
  write(to: Address[], text: string, priority: Priority): void {
    const id = newId((bytes) => crypto.getRandomValues(bytes));
    const waiting: Waiting = { id, to, text, priority, time: this.#post.now() };
    this.#outbox.add(waiting);
    this.#keepOutbox();
    this.book.write(waiting, this.#name);
    if (this.#post.live() && !this.#timers.hold) this.#post.send(Outbox.frame(waiting));
    this.#changed();
  }

  /** Forget a message that the server refused; its text is given back. */
  discard(id: string): string {
    const text = this.book.items.get(id)?.text ?? '';
    this.book.discard(id);
    this.#gone(id);
    this.#changed();
    return text;
  }

  draft(key: string): Draft {
    return this.#drafts[key] ?? EMPTY;
  }

  keepDraft(key: string, draft: Draft | null): void {
    if (draft && (draft.text || draft.to?.length)) this.#drafts[key] = draft;
    else delete this.#drafts[key];
    this.#shelf.set('drafts', this.#drafts);
  }

  /** These were shown in a visible, focused window. */
  markRead(ids: readonly string[]): void {
    let any = false;
    for (const id of ids) {
      const place = this.book.markRead(id);
      if (!place) continue;
      any = true;
      this.#reads.push(place);
    }
    if (!any) return;
    this.#shelf.set('reads', this.#reads);
    this.#sendReads();
    this.#changed();
  }

  #sendReads(): void {
    if (!this.#post.live()) return;
    const under = new Set(
      [...this.#readsUnderWay.values()].flatMap(({ box, seqs }) => seqs.map((s) => `${box} ${s}`)),
    );
    const byBox = Map.groupBy(
      this.#reads.filter(({ box, seq }) => !under.has(`${box} ${seq}`)),
      ({ box }) => box,
    );
    for (const [box, places] of byBox) {
      const seqs = places.map(({ seq }) => seq).slice(0, MAX_READ);
      const n = this.#post.next();
      if (this.#post.send({ t: 'read', n, box, seqs })) this.#readsUnderWay.set(n, { box, seqs });
    }
  }

  #readDone(n: number): void {
    const done = this.#readsUnderWay.get(n);
    if (!done) return;
    this.#readsUnderWay.delete(n);
    this.#reads = this.#reads.filter(
      ({ box, seq }) => box !== done.box || !done.seqs.includes(seq),
    );
    this.#shelf.set('reads', this.#reads);
  }

  #refused(id: string, text: string, retry: number | null): void {
    const waiting = this.#outbox.waiting.find((one) => one.id === id);
    if (!waiting) return;
    if (retry !== null) {
      this.delayed = true;
      // Nothing written later overtakes it: all that waits goes again, in the order written.
      this.#timers.hold ??= setTimeout(
        () => this.#sendAll(),
        Math.max(250, retry),
      ) as unknown as number;
      return;
    }
    waiting.problem = text;
    this.book.refused(id, text);
    this.#keepOutbox();
  }

  #gone(id: string): void {
    if (this.#outbox.remove(id)) this.#keepOutbox();
  }

  #keepOutbox(): void {
    this.kept = this.#shelf.set('outbox', this.#outbox.waiting);
  }

  /** Tell the server how far each mailbox has come, at most once a mailbox in 50 ms. */
  #noteSeen(box: Address): void {
    this.#seen.set(box, this.book.cursors.get(box) ?? 0);
    this.#timers.seen ??= setTimeout(() => {
      delete this.#timers.seen;
      for (const [name, seq] of this.#seen) this.#post.send({ t: 'seen', box: name, seq });
      this.#seen.clear();
    }, SEEN_EVERY) as unknown as number;
  }

  #changed(): void {
    this.#version += 1;
    this.#timers.save ??= setTimeout(() => {
      delete this.#timers.save;
      this.#shelf.set('cursors', Object.fromEntries(this.book.cursors));
      this.#shelf.set('unread', [...this.book.unread]);
    }, SEEN_EVERY) as unknown as number;
  }
}

function idOf(mail: Mail): string {
  return mail.body.kind === 'message' ? mail.body.id : '';
}
