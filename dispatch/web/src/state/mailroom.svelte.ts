import { withoutControls } from './bidi';
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
import type { TooOld } from './held';
import type { Answer } from './http';
import type { Read } from './leftBehind';
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
  /** These were read here: other windows of the same person know it then. */
  told?(ids: readonly string[]): void;
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
  /** False while there is a draft that the browser could not keep. */
  draftsKept = $state(true);
  /** The server cannot store messages now; they are sent again until it can. */
  delayed = $state(false);
  #outbox: Outbox;
  /** Messages that are too old to be sent by themselves. */
  #held: ReadonlySet<string> = new Set();
  /** Drafts that the browser did not keep. */
  #unkept: Record<string, Draft> = {};
  #post: Post;
  #shelf: Shelf;
  #name: string;
  #seen = new Map<Address, number>();
  /** Newest sequence of each mailbox when this page signed in. */
  #heads: Readonly<Record<string, number>> = {};
  #reads: Read[];
  /** Unread marks as they were last kept. */
  #marks: ReadonlySet<string>;
  #readsUnderWay = new Map<number, { box: Address; seqs: number[] }>();
  #timers: { seen?: number; save?: number; hold?: number } = {};
  #complete = new Set<Address>();
  #asked = new Set<string>();
  #stopped = false;

  constructor(
    account: Pick<SignedIn, 'me' | 'name'>,
    shelf: Shelf,
    post: Post,
    private readonly tooOld: TooOld<Waiting> = () => false,
  ) {
    this.#post = post;
    this.#shelf = shelf;
    this.#name = account.name;
    this.book = new MailBook(account.me, {
      cursors: shelf.get<Record<string, number>>('cursors', {}),
      unread: shelf.get<string[]>('unread', []),
    });
    this.#marks = new Set(this.book.unread);
    this.#outbox = new Outbox(shelf.own<Waiting>('outbox'));
    this.#reads = shelf.own<Read>('reads');
    for (const waiting of this.#outbox.waiting) this.#enter(waiting);
    this.#hold();
  }

  #enter(waiting: Waiting): void {
    this.book.write(waiting, this.#name);
    if (waiting.problem) this.book.refused(waiting.id, waiting.problem);
  }

  /** Nobody is here any more: what waits stays where it is kept. */
  stop(): void {
    this.#stopped = true;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
    this.#save();
  }

  conversations = $derived.by<Conversation[]>(() => (this.#version, this.book.conversations()));
  alarms = $derived.by<Item[]>(() => (this.#version, this.book.alarms()));
  unread = $derived(this.conversations.reduce((sum, one) => sum + one.unread, 0));
  /** Messages that the server has not got. */
  unsent = $derived.by<Waiting[]>(
    () => (this.#version, this.#outbox.waiting.filter((one) => !one.problem)),
  );
  /** Those of them that are too old to be sent by themselves: somebody sends or discards them. */
  held = $derived<Waiting[]>(this.unsent.filter(({ id }) => this.#held.has(id)));
  waiting = $derived(this.unsent.length - this.held.length);
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
    this.#hold();
    this.#sendThese(this.#outbox.waiting);
  }

  /** Send these, unless they are held or refused, or all that waits goes again soon. */
  #sendThese(messages: readonly Waiting[]): void {
    if (!this.#post.live() || this.#timers.hold) return;
    let any = false;
    for (const message of messages) {
      if (message.problem || this.#held.has(message.id)) continue;
      if (!this.#post.send(Outbox.frame(message)) || message.tried) continue;
      message.tried = any = true;
    }
    if (any) this.#keepOutbox();
  }

  #hold(): void {
    const now = this.#post.now();
    const old = this.#outbox.waiting.filter((one) => !one.problem && this.tooOld(one, now));
    this.#held = new Set(old.map(({ id }) => id));
    for (const id of this.#held) this.book.refused(id, '');
    this.#version += 1;
  }

  /** Send what was held, as if it were written now. */
  release(id: string): void {
    const message = this.#outbox.again(id, this.#post.now());
    if (!message) return;
    this.#held = new Set([...this.#held].filter((one) => one !== id));
    this.#keepOutbox();
    this.#enter(message);
    this.#sendThese([message]);
    this.#changed();
  }

  /** What a window that was closed had yet to send. True when it is kept here now. */
  adopt(messages: readonly Waiting[]): boolean {
    const fresh = messages.filter(({ id }) => !this.#outbox.waiting.some((one) => one.id === id));
    if (fresh.length === 0) return true;
    for (const message of fresh) {
      this.#outbox.add(message);
      // What came back through a mailbox meanwhile has arrived.
      if (this.book.items.get(message.id)?.places.size) this.#outbox.remove(message.id);
      else this.#enter(message);
    }
    this.#hold();
    this.#keepOutbox();
    this.#sendThese(fresh.filter(({ id }) => this.book.items.get(id)?.progress === 'queued'));
    this.#changed();
    return this.kept;
  }

  /** What a window that was closed had yet to say it had read. True when it is kept here now. */
  adoptReads(reads: readonly Read[]): boolean {
    if (reads.length === 0) return true;
    this.#reads.push(...reads);
    const kept = this.#shelf.setOwn('reads', this.#reads);
    this.#sendReads();
    return kept;
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
    const said = withoutControls(text);
    const waiting: Waiting = { id, to, text: said, priority, time: this.#post.now() };
    this.#outbox.add(waiting);
    this.#keepOutbox();
    this.#enter(waiting);
    this.#sendThese([waiting]);
    this.#changed();
  }

  /** Forget a message that was refused or held; its text is given back. */
  discard(id: string): string {
    const text = this.book.items.get(id)?.text ?? '';
    this.book.discard(id);
    this.#gone(id);
    this.#changed();
    return text;
  }

  draft(key: string): Draft {
    return this.#unkept[key] ?? this.#shelf.get<Record<string, Draft>>('drafts', {})[key] ?? EMPTY;
  }

  keepDraft(key: string, draft: Draft | null): void {
    const filled = draft && (draft.text || draft.to?.length) ? draft : null;
    // Read anew each time: another window of mine writes there too.
    const drafts = this.#shelf.get<Record<string, Draft>>('drafts', {});
    if (!filled && !drafts[key] && !this.#unkept[key]) return;
    if (filled) drafts[key] = filled;
    else delete drafts[key];
    if (this.#shelf.set('drafts', drafts) || !filled) delete this.#unkept[key];
    else this.#unkept[key] = filled;
    this.draftsKept = Object.keys(this.#unkept).length === 0;
  }

  /** These were shown in a visible, focused window. */
  markRead(ids: readonly string[]): void {
    const read: string[] = [];
    for (const id of ids) {
      const place = this.book.markRead(id);
      if (!place) continue;
      read.push(id);
      this.#reads.push(place);
    }
    if (read.length === 0) return;
    this.#post.told?.(read);
    this.#shelf.setOwn('reads', this.#reads);
    this.#sendReads();
    this.#changed();
  }

  /** These were read in another window, which says so to the server. */
  readElsewhere(ids: readonly string[]): void {
    for (const id of ids) this.book.readElsewhere(id);
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
    this.#shelf.setOwn('reads', this.#reads);
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
    this.kept = this.#shelf.setOwn('outbox', this.#outbox.waiting);
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
    if (this.#stopped) return;
    this.#timers.save ??= setTimeout(() => {
      delete this.#timers.save;
      this.#save();
    }, SEEN_EVERY) as unknown as number;
  }

  /** Cursors and unread marks are one for all windows: what another has kept is not taken back. */
  #save(): void {
    const { cursors, unread } = this.book;
    const kept = this.#shelf.get<Record<string, number>>('cursors', {});
    for (const [box, seq] of cursors) kept[box] = Math.max(seq, kept[box] ?? 0);
    this.#shelf.set('cursors', kept);
    const marks = new Set(this.#shelf.get<string[]>('unread', []));
    for (const id of this.#marks) if (!unread.has(id)) marks.delete(id);
    for (const id of unread) if (!this.#marks.has(id)) marks.add(id);
    this.#marks = new Set(unread);
    this.#shelf.set('unread', [...marks]);
  }
}

function idOf(mail: Mail): string {
  return mail.body.kind === 'message' ? mail.body.id : '';
}
