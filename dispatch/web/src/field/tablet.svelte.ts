import { Pushes } from '../push/pushes.svelte';
import type { Action } from '../state/actions';
import { Board } from '../state/board.svelte';
import { ask, getJson } from '../state/http';
import { Mailroom } from '../state/mailroom.svelte';
import { Picture } from '../state/picture.svelte';
import { Shelf } from '../state/storage';
import { Warned } from '../state/warned.svelte';
import { Connection, type Phase } from '../wire/connection';
import type {
  Address,
  Area,
  ClientFrame,
  Mail,
  Roster,
  ServerFrame,
  SignedIn,
} from '../wire/frames';
import type { BoardItem, Emergency, WelfareCheck } from '../wire/items';
import { sign, signInContent } from './deviceKey';
import { dutyOf, type Duty, type Said } from './duty';
import { Files } from './files.svelte';
import { Positions, type Here } from './positions.svelte';
import { readable, type Form, type Values } from './forms';
import type { Armed } from './manDown';
import type { Counting } from './redButton';
import type { Settings } from './settings.svelte';
import { urgent } from './sight';
import { record } from './sound';
import { Talking } from './talking.svelte';
import type { Device, Enrolled, Vault } from './vault';
import { Voice } from './voice.svelte';
import { wipe } from './wipe';

const LETTERS = 300;
/** So long after an order what is written belongs to it. */
const AFTERWARDS = 12 * 3_600_000;
const RETRY_EMERGENCY = 2_000;
const STUCK = 5_000;
/** Degrees to each side of which colleagues are shown. */
const AROUND = 0.3;

/** Something that was not done as it was asked, in the words of who refused it. */
export interface Notice {
  id: number;
  text: string;
}
/** The incident of one's last order: what is written about it afterwards belongs there. */
export interface Last {
  id: number;
  number: string;
  /** When it was last seen as one's order (ms UTC). */
  time: number;
}

/** A crew's tablet: one unit, one connection, and what must not be lost without one. */
export class Tablet {
  phase = $state<Phase>('off');
  /** The server's time, every second (ms UTC). */
  now = $state(Date.now());
  notices = $state.raw<readonly Notice[]>([]);
  /** The server does not let this tablet in any more. */
  refused = $state('');
  /** It was told to erase itself, and has. */
  wiped = $state(false);
  /** The disk does not take what is to be kept. */
  diskFull = $state(false);
  /** Somebody looks at the map. */
  mapOpen = $state(false);
  #last = $state.raw<Last | null>(null);
  /** What rings and was silenced by hand. */
  hushed = $state.raw<ReadonlySet<string>>(new Set());
  readonly picture = new Picture();
  readonly board: Board;
  readonly warned: Warned;
  readonly mailroom: Mailroom;
  readonly positions: Positions;
  readonly files: Files;
  readonly voice: Voice;
  readonly talking: Talking;
  readonly who: Enrolled;
  /** Whether warnings come when the page is closed. */
  readonly pushes = new Pushes('/field', (method, path, body) =>
    ask(method, path, this.#token, body),
  );
  #connection: Connection;
  #vault: Vault;
  #shelf: Shelf;
  #keys: CryptoKeyPair;
  #token: string | null = null;
  #letters: Mail[] = [];
  #lettersKept = true;
  /** Order and emergency that the pace of reporting goes by. */
  #occupied = '';
  #offset: number;
  #watched: Area | null = null;

  constructor(
    vault: Vault,
    device: Device & { enrolled: Enrolled },
    readonly settings: Settings,
  ) {
    this.who = device.enrolled;
    this.#vault = vault;
    this.#keys = device.keys;
    const me: Address = `unit:${this.who.unit}`;
    const shelf = (this.#shelf = new Shelf(me, this.#storage()));
    vault.onTrouble = () => (this.diskFull = true);
    this.#connection = this.#connect();
    this.#offset = shelf.get('offset', Number.NaN);
    if (!Number.isNaN(this.#offset)) this.#connection.clock.believe(this.#offset);
    const line = this.#line();
    this.board = new Board(
      'duty',
      { load: () => shelf.get('actions', []), save: (all) => shelf.set('actions', all) },
      line,
    );
    for (const item of shelf.get<BoardItem[]>('duty', []))
      this.board.items.set(`${item.is}:${item.id}`, item);
    this.warned = new Warned(
      line,
      { load: () => shelf.get('confirmed', []), save: (all) => shelf.set('confirmed', all) },
      {
        load: () => shelf.get('warned', []),
        save: (read) => shelf.set('warned', read),
        items: {
          load: () => shelf.get('warnings', []),
          save: (items) => shelf.set('warnings', items),
        },
      },
      () => this.now,
    );
    const account = { me, name: shelf.get('name', this.who.label) };
    const get = <T>(path: string) => getJson<T>(path, this.#token);
    const resume = (): void => this.#connection.resume();
    this.mailroom = new Mailroom(account, shelf, { ...line, resume, get });
    this.#letters = shelf.get<Mail[]>('letters', []);
    for (const letter of this.#letters) this.mailroom.book.take(letter, false);
    this.#last = shelf.get<Last | null>('last', null);
    const roster = shelf.get<Roster | null>('roster', null);
    if (roster) this.picture.take(roster);
    this.positions = new Positions(vault.fixes, {
      ...line,
      clock: this.#connection.clock,
      disk: vault,
      need: () => ({
        emergency: this.emergency !== null || this.pressed !== null,
        watched: this.mapOpen || (this.duty.order !== null && !document.hidden),
      }),
      moved: (here) => this.#moved(here),
    });
    this.files = new Files(vault.files, vault, {
      live: line.live,
      now: line.now,
      fetch: (path, init) => fetch(path, authorised(init, this.#token)),
    });
    this.voice = new Voice(vault.pieces, {
      record,
      now: line.now,
      about: () => this.#subject,
      keepPiece: (piece) => vault.keepPiece(piece),
      dropPieces: (note) => vault.dropPieces(note),
      file: (note, sound) => this.files.add('voice', sound, note.about, note),
    });
    this.talking = new Talking({
      line: {
        ...line,
        sendSpeech: (speech) => this.#connection.sendSpeech(speech),
        latency: () => this.#connection.clock.latency,
        me: () => me,
      },
      load: () => shelf.get('radio', null),
      save: (kept) => shelf.set('radio', kept),
      groups: () => this.picture.groups,
      incident: () => this.duty.order?.incident ?? null,
      emergency: () => this.emergency !== null || this.pressed !== null,
    });
    this.#start();
  }

  // -- what is so now

  duty = $derived.by<Duty>(() =>
    dutyOf(this.who.unit, this.board.items.values(), this.board.waiting),
  );
  callsign = $derived.by(
    () => (this.picture.version, this.picture.name(`unit:${this.who.unit}`) ?? this.who.label),
  );
  emergency = $derived.by<Emergency | null>(
    () => this.board.all('emergency').find(({ unit }) => unit === this.who.unit) ?? null,
  );
  /** A press of the red button that the server does not have yet. */
  pressed = $derived.by<Action | null>(
    () => this.board.waiting.find(({ what }) => what === 'emergency.press') ?? null,
  );
  saidSafe = $derived.by(() => this.board.waiting.some(({ what }) => what === 'emergency.safe'));
  /** A welfare check that has no answer here yet. */
  check = $derived.by<WelfareCheck | null>(() => {
    const said = this.board.waiting.filter(({ what }) => what === 'welfare.answer');
    // An answer that waits holds as long as one that has arrived: then it is asked again.
    const holds = ({ id, every }: WelfareCheck): boolean =>
      said.some(({ with: body, time }) => body['welfare'] === id && this.now < time + every * 1000);
    return this.board.all('welfare').find((check) => !holds(check)) ?? null;
  });
  /** The incident that what is written now belongs to. */
  about = $derived.by<{ id: number; number: string } | null>(() => {
    const incident = this.duty.order?.incident;
    if (incident) return incident;
    return this.#last && this.now - this.#last.time < AFTERWARDS ? this.#last : null;
  });
  live = $derived(this.phase === 'live' || this.phase === 'catching_up');
  /** Keys of what is to be heard: an order nobody has read, messages of urgency. */
  ringing = $derived.by<string[]>(() => {
    const { now, order } = this.duty;
    const rings: string[] = [];
    if (order && now.status === 'ordered') rings.push(`order ${order.assignment.id}`);
    for (const { id, loud, state } of this.warned.unread)
      if (loud && state === 'in_force') rings.push(`warning ${id}`);
    const orders = new Set(this.board.all('assignment').map((one) => one.order));
    for (const conversation of this.mailroom.conversations)
      for (const { id, unread, priority } of conversation.items)
        if (unread && urgent(priority) && !orders.has(id)) rings.push(id);
    if (this.check && this.check.due - this.now < 60_000)
      rings.push(`check ${this.check.id} ${this.check.due}`);
    return rings.filter((key) => !this.hushed.has(key));
  });

  /** What a message says; empty when it has not come yet. */
  textOf(message: string): string {
    for (const { items } of this.mailroom.conversations)
      for (const { id, text } of items) if (id === message) return text;
    return '';
  }

  name(address: Address): string {
    return this.picture.name(address) ?? this.mailroom.name(address) ?? address.replace(':', ' ');
  }

  // -- what a crew does

  /** Say what one is doing. It is so here at once, and at the server as soon as there is a way. */
  say(status: Said): void {
    const assignment = this.duty.order?.assignment;
    const about = assignment ? { assignment: assignment.id } : {};
    if (assignment) this.mailroom.markRead([assignment.order]);
    this.#do('unit.status', { status, ...about, at: this.clock() });
  }

  decline(assignment: number, reason: string): void {
    const order = this.board.get('assignment', assignment)?.order;
    if (order) this.mailroom.markRead([order]);
    this.#do('assignment.decline', { assignment, reason });
  }

  /** `at`: when it was meant, by this device's clock (ms UTC). */
  press(how: Counting['how'], at: number): void {
    const { here } = this.positions;
    const place = here && { lon: Math.round(here.lon * 1e7), lat: Math.round(here.lat * 1e7) };
    const said = Math.round(this.#connection.clock.at(at));
    this.#do('emergency.press', { how, at: said, ...(place ? { place } : {}) });
    this.positions.hurry();
    this.talking.callForHelp();
  }

  /** One is safe; also where the server has not said yet which emergency it is. */
  safe(): void {
    this.#do('emergency.safe', { at: this.clock() });
    this.talking.calm();
  }

  well(check: WelfareCheck): void {
    this.#do('welfare.answer', { welfare: check.id, at: this.clock() });
  }

  /** Send a form: into the log of the order, or to the own control room. */
  hand(form: Form, values: Values): void {
    const text = readable(form, values);
    const incident = this.about?.id;
    if (incident !== undefined) this.#do('incident.note', { incident, text, at: this.clock() });
    else this.mailroom.write([`agency:${this.who.agency}`], text, 'routine');
  }

  attach(photo: Blob): Promise<boolean> {
    return this.files.add('photo', photo, this.#subject);
  }

  get #subject(): string | null {
    return this.about && `incident:${this.about.id}`;
  }

  hush(): void {
    this.hushed = new Set([...this.hushed, ...this.ringing]);
  }

  dismiss(notice: number): void {
    this.notices = this.notices.filter(({ id }) => id !== notice);
  }

  draft(form: string): Values {
    return this.#shelf.get<Values>(`form:${form}`, {});
  }

  keepDraft(form: string, values: Values): void {
    this.#shelf.set(`form:${form}`, values);
  }

  /** The man-down timer as it was; a crew that is off duty is not waited for. */
  armed(): Armed | null {
    return this.duty.now.status === 'off_duty' ? null : this.#shelf.get('armed', null);
  }

  keepArmed(armed: Armed | null): void {
    this.#shelf.set('armed', armed);
  }

  /** A countdown that nobody cancelled; none when its press was kept before the restart. */
  counting(): Counting | null {
    if (this.pressed) this.keepCounting(null);
    return this.#shelf.get('counting', null);
  }

  keepCounting(counting: Counting | null): void {
    if (counting) this.#shelf.set('counting', counting);
    else this.#shelf.drop('counting');
  }

  /** The server's time, milliseconds UTC. */
  clock(): number {
    return Math.round(this.#connection.clock.at(Date.now()));
  }

  #do(what: string, body: Record<string, unknown>): void {
    void this.board.do(what, body);
  }

  /** What was refused for good is told, also when it was asked for before a restart. */
  #noticed(frame: ServerFrame): void {
    if (frame.t !== 'error' || frame.retry != null) return;
    const action = this.board.waiting.find(({ id }) => id === frame.id);
    if (!action) return;
    if (action.what === 'incident.note') this.#giveBack(String(action.with['text']));
    const id = (this.notices.at(-1)?.id ?? 0) + 1;
    this.notices = [...this.notices, { id, text: `${frame.text} ${frame.todo}` }];
  }

  /** A note that was refused is a draft again: what was typed is not lost. */
  #giveBack(text: string): void {
    const before = this.draft('note')['text'];
    this.keepDraft('note', { text: before ? `${before}\n${text}` : text });
  }

  // -- the line

  #line() {
    return {
      send: (frame: ClientFrame) => this.#connection.send(frame),
      next: () => this.#connection.next(),
      live: () => this.#connection.live,
      now: () => this.clock(),
    };
  }

  #connect(): Connection {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    return new Connection({
      url: `${scheme}://${location.host}/ws`,
      client: 'psn-tablet/0.1',
      seen: () => Object.fromEntries(this.mailroom.book.cursors),
      events: {
        phase: (phase) => this.#enter(phase),
        signedIn: (frame) => this.#signedIn(frame),
        refused: (error) => (this.refused = `${error.text} ${error.todo}`),
        ended: (text) => (this.refused = text),
        frame: (frame) => this.#take(frame),
        speech: (speech) => this.talking.radio.speech(speech),
        latency: () => undefined,
        reached: (sent) => this.#reached(sent),
      },
    });
  }

  #start(): void {
    void this.positions.start();
    setInterval(() => (this.now = this.clock()), 1_000);
    setInterval(() => this.#hurry(), RETRY_EMERGENCY);
    addEventListener('online', () => this.#connection.retryNow());
    addEventListener('offline', () => this.#connection.resume());
    this.signIn();
  }

  signIn(): void {
    this.refused = '';
    const { device } = this.who;
    this.#connection.start({
      kind: 'signer',
      sign: async (nonce) => ({
        kind: 'device',
        device,
        signature: await sign(this.#keys, signInContent(device, nonce)),
      }),
    });
  }

  /** An emergency does not wait out a pause, nor a line on which nothing comes back. */
  #hurry(): void {
    if (!this.pressed) return;
    this.#connection.retryNow();
    if (this.live && this.clock() - this.pressed.time > STUCK) this.#connection.resume();
  }

  #enter(phase: Phase): void {
    this.phase = phase;
    if (phase !== 'waiting') return;
    this.positions.lost();
    this.talking.radio.lost();
  }

  #signedIn(frame: SignedIn): void {
    this.#token = frame.token;
    this.#shelf.set('name', frame.name);
    this.#watched = null;
    this.#watch();
    this.board.resumed();
    this.mailroom.resumed(frame.boxes);
    this.positions.resumed();
    this.files.resumed();
    this.talking.radio.resumed();
    this.warned.resumed();
  }

  #reached(sent: number): void {
    this.positions.reached(sent);
    const { offset } = this.#connection.clock;
    // What was found before the clock was known could not be told.
    if (Number.isNaN(this.#offset)) this.positions.hurry();
    if (Math.abs(offset - this.#offset) < 1_000) return;
    this.#offset = offset;
    this.#shelf.set('offset', offset);
  }

  #take(frame: ServerFrame): void {
    if (frame.t === 'closing' && frame.code === 'wipe') {
      void this.#wipe();
      return;
    }
    if (frame.t === 'mail') this.#keepLetter(frame);
    this.#noticed(frame);
    this.picture.take(frame);
    this.mailroom.take(frame);
    this.board.take(frame);
    this.positions.take(frame);
    this.talking.radio.take(frame);
    this.warned.take(frame);
    if (frame.t === 'roster' || frame.t === 'roster_people') this.talking.known();
    if (frame.t === 'news') this.#news();
    if (frame.t === 'roster') this.#shelf.set('roster', frame);
  }

  #keepLetter(letter: Mail): void {
    if (letter.body.kind !== 'message') return;
    this.#letters = [...this.#letters, letter].slice(-LETTERS);
    this.#lettersKept = false;
  }

  /** Letters are kept before their cursor is: what was seen can be read after a restart, too. */
  #storage(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
    const vault = this.#vault;
    return {
      getItem: (name) => vault.getItem(name),
      removeItem: (name) => vault.removeItem(name),
      setItem: (name, value) => {
        if (name.endsWith(':cursors') && !this.#lettersKept) {
          this.#lettersKept = true;
          this.#shelf.set('letters', this.#letters);
        }
        vault.setItem(name, value);
      },
    };
  }

  #news(): void {
    this.#shelf.set('duty', [...this.board.items.values()]);
    const order = this.duty.order;
    const occupied = `${this.emergency?.id} ${order?.assignment.id}`;
    if (occupied !== this.#occupied) this.positions.hurry();
    this.#occupied = occupied;
    this.talking.sent();
    const incident = order?.incident;
    if (!incident) return;
    this.#last = { id: incident.id, number: incident.number, time: this.clock() };
    this.#shelf.set('last', this.#last);
  }

  /** Show colleagues around here, or around where one is sent. */
  #watch(): void {
    if (!this.live) return;
    const incident = this.duty.order?.incident;
    const there =
      incident?.lon != null && incident.lat != null
        ? { lon: incident.lon / 1e7, lat: incident.lat / 1e7 }
        : null;
    const middle = this.positions.here ?? there;
    this.#watched = middle && around(middle);
    const n = this.#connection.next();
    this.#connection.send({ t: 'watch', n, ...(this.#watched ? { area: this.#watched } : {}) });
  }

  #moved(here: Here): void {
    if (!this.#watched || !within(this.#watched, here)) this.#watch();
  }

  async #wipe(): Promise<void> {
    this.#vault.onTrouble = () => undefined;
    this.positions.stop();
    this.voice.erase();
    this.talking.radio.stop();
    await wipe(this.#vault);
    this.wiped = true;
    this.#connection.leave(4410);
  }
}

function around({ lon, lat }: { lon: number; lat: number }): Area {
  const at = (degrees: number): number => Math.round(degrees * 1e7);
  return [at(lon - AROUND), at(lat - AROUND), at(lon + AROUND), at(lat + AROUND)];
}

/** Whether somebody is well inside an area: half way to its edge. */
function within([west, south, east, north]: Area, { lon, lat }: Here): boolean {
  const half = (AROUND * 1e7) / 2;
  const [x, y] = [lon * 1e7, lat * 1e7];
  return x > west + half && x < east - half && y > south + half && y < north - half;
}

function authorised(init: RequestInit, token: string | null): RequestInit {
  const headers = new Headers(init.headers);
  headers.set('Authorization', `Bearer ${token ?? ''}`);
  return { ...init, headers, cache: 'no-store' };
}
