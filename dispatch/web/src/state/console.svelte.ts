import type { Address, ClientFrame, ServerFrame, SignedIn, WireError } from '../wire/frames';
import type { Action } from './actions';
import { Aside } from './aside.svelte';
import { Board } from './board.svelte';
import { Calls } from './calls.svelte';
import { Drafts } from './drafts.svelte';
import { Entrance } from './entrance.svelte';
import { tooOld, tooOldToDo } from './held';
import type { Answer } from './http';
import { Hush } from './hush.svelte';
import { keptSession } from './kept';
import type { Layout, Panel, View } from './layout';
import { Layouts } from './layouts.svelte';
import { Learning } from './learning';
import { LeftBehind } from './leftBehind';
import { conversationOf, type Item } from './mail';
import { Mailroom } from './mailroom.svelte';
import { MapPlace } from './mapPlace';
import { Picture } from './picture.svelte';
import { Pointing } from './pointing.svelte';
import { RadioNetworks } from './radioNetworks.svelte';
import { RollCall } from './rollCall';
import { Shelf } from './storage';
import { theme } from './theme.svelte';
import { strings } from '../strings';
import type { Chosen, Silenced, WorkAsked } from './windows';
import { WorkWindow } from './workWindow';
import type { Hearing } from '../voice/ears';
import { Radio } from '../voice/radio.svelte';
import { Warned } from './warned.svelte';
import { Sound } from '../voice/sound.svelte';
import type { Speech } from '../wire/speech';
import { Workplace } from './workplace.svelte';

const SLOW = 2_000;
/** Windows that were reloaded together are all there again after so long, milliseconds. */
const AFTER_A_RELOAD = 4_000;

/** Sight of another agency's open units that one gave oneself; times in milliseconds UTC. */
export interface Glass {
  id: number;
  agency: number;
  reason: string;
  starts: number;
  ends: number;
}
interface Rights {
  rights: Record<string, Record<string, string>>;
}

export type MessageView =
  { page: 'list' } | { page: 'new' } | { page: 'with'; addresses: Address[] };

/** What the console is about: one connection, one account, one picture. */
export class Console extends Entrance {
  picture = $state.raw(new Picture());
  mailroom = $state.raw<Mailroom | null>(null);
  /** What is open now; there while somebody is signed in. */
  board = $state.raw<Board | null>(null);
  /** What else is open at this desk, and chosen in its other window. */
  readonly work = new Workplace(() => this.account?.me ?? null);
  /** What is kept for this account in this browser. */
  shelf = $state.raw<Shelf | null>(null);
  /** What was silenced here, or in another window. */
  hush = $state.raw(new Hush());
  /** Emergencies whose banners were put aside. */
  aside = $state.raw(new Aside(null));
  /** What is being typed in forms. */
  drafts = $state.raw(new Drafts(null));
  /** What the map is to look at next; whoever has the map sets it back. */
  lookAt = $state.raw<(Pick<Chosen, 'unit' | 'place'> & { view?: View }) | null>(null);
  /** The calls that I have; there as the board is. */
  calls = $state.raw<Calls | null>(null);
  /** The voice groups that are heard; there as the board is, and not in the map's own window. */
  radio = $state.raw<Radio | null>(null);
  /** The two-way radio networks, while somebody looks at them; there as the voice groups are. */
  radioNetworks = $state.raw<RadioNetworks | null>(null);
  /** Of two windows, the one with the work shows warnings. */
  warned = $state.raw<Warned | null>(null);
  /** A place that is to be clicked on the map. */
  readonly pointing = new Pointing(
    (said) => this.work.tell(said),
    () => this.work.window !== 'work',
  );
  problem = $state<WireError | null>(null);
  view = $state.raw<MessageView>({ page: 'list' });
  fences = $state.raw<GeoJSON.FeatureCollection | null>(null);
  /** Agencies whose glass one has broken, while it lasts. */
  glasses = $state.raw<Glass[]>([]);
  /** What one may do: actions by kind of thing; null until it is known. */
  rights = $state.raw<Rights['rights'] | null>(null);
  #learning = new Learning((path) => this.get(path));
  /** What was begun before it was known whether one may. */
  #begun: (() => void) | null = null;
  /** Address of the operator's own map (PMTiles), if there is one. */
  ownMap = $state<string | null>(null);
  /** When the other window last brought up a call that was asked for here; server's time, ms. */
  workElsewhere = $state(0);
  /** Arrangements under names. */
  layouts = $state.raw(new Layouts(null));
  #sound = new Sound();
  #watched = false;
  #windows: RollCall;
  #leftBehind: LeftBehind | null = null;
  #map: MapPlace;
  #workWindow = new WorkWindow(
    (said) => this.work.tell(said),
    (asked) => this.#work(asked),
    (what) => this.#workIsElsewhere(what),
  );

  constructor() {
    super('psn-console/0.1');
    const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('psn:windows') : null;
    this.#windows = new RollCall(this.work.name, channel, () => this.account?.me ?? null);
    this.work.onFollow = (chosen) => this.#follow(chosen);
    this.#map = new MapPlace(this.work, () => this.account?.me ?? null);
  }

  /** What is shown beside the map. */
  get panel(): Panel {
    return this.work.panel;
  }
  set panel(panel: Panel) {
    this.work.turn(panel);
  }

  degraded = $derived(this.latency > SLOW);

  /** Open the conversation with these, beside the map or in the other window. */
  write(addresses: Address[]): void {
    if (this.work.window === 'map') this.work.tell({ write: addresses });
    this.panel = 'messages';
    this.view = { page: 'with', addresses };
  }

  /** What is typed where the work is, which may be the other window. */
  begin(what: 'note' | 'close' | 'new' | 'conversations'): void {
    this.#askForWork(what);
  }

  /** How this window is arranged now. */
  get layout(): Layout {
    const { list, filter, panel, view } = this.work;
    const { filter: units, order } = this.picture;
    return { list, filter, panel, view, units, order, theme: theme.choice };
  }

  /** False when it could not be kept. */
  saveLayout(name: string): boolean {
    return this.layouts.save(name, this.layout);
  }

  /** Arrange this window and the other one as it was saved. */
  arrange(name: string): void {
    this.#arrange(name);
    this.work.tell({ layout: name });
  }

  #arrange(name: string): void {
    this.layouts.follow(null);
    const layout = this.layouts.get(name);
    if (!layout) return;
    this.work.show(layout.list);
    this.work.choose(layout.filter);
    this.panel = layout.panel;
    this.picture.filter = layout.units;
    this.picture.order = layout.order;
    theme.choose(layout.theme);
    if (!layout.view) return;
    this.work.view = layout.view;
    this.#lookAt({ view: layout.view });
  }

  /** An emergency was taken note of here: it counts as read, and its conversation opens. */
  acknowledge(item: Item): void {
    this.mailroom?.markRead([item.id]);
    if (this.account) this.write(conversationOf(this.account.me, item.sender, item.to));
  }

  /** These alarms are silent, in every window. */
  silence(): void {
    const silenced = {
      messages: this.mailroom?.alarms.map(({ id }) => id) ?? [],
      emergencies: (this.board?.all('emergency') ?? []).map(({ id, presses }): [number, number] => [
        id,
        presses ?? 1,
      ]),
    };
    this.#hushed(silenced);
    this.work.tell({ silenced });
  }

  #hushed(silenced: Silenced): void {
    this.hush.add(silenced);
    this.hush.waits = this.emergencyWaits;
  }

  /** How much of what was asked for, written or typed here has not reached the server. */
  get unsent(): number {
    const calls = this.calls?.drafts.filter(({ unsent }) => unsent.length > 0) ?? [];
    const actions = this.board?.waiting.length ?? 0;
    return actions + (this.mailroom?.unsent.length ?? 0) + calls.length;
  }

  /** What an address is called: by the roster, else by what was written with it before. */
  name(address: Address): string {
    return this.picture.name(address) ?? this.mailroom?.name(address) ?? address.replace(':', ' ');
  }

  /** Another window has written into the storage, under this key (null: it was emptied). */
  keptElsewhere(key: string | null): void {
    this.drafts.follow(key);
    this.aside.follow(key);
    this.layouts.follow(key);
  }

  select(id: number | null): void {
    if (this.picture.selected !== id) this.work.tell({ unit: id });
    this.picture.selected = id;
  }

  /** A unit was pointed at: it opens, or, while units are being chosen for an incident, is chosen. */
  pick(id: number | null): void {
    const own = this.picture.unit(id)?.agency === this.account?.agency;
    if (this.work.assigning && id !== null && own) this.work.toggle(id);
    else this.select(id);
  }

  /** Open an incident, or close what is open of it; the other window follows. */
  openIncident(id: number | null): void {
    if (this.work.incident !== id) this.work.tell({ incident: id });
    this.#showIncident(id);
  }

  #showIncident(id: number | null): void {
    this.work.open(id);
    if (this.work.window === 'work') return; // there it has a place of its own, beside the panel
    if (id !== null) this.panel = 'incident';
    else if (this.panel === 'incident') this.panel = 'messages';
  }

  /** Choose units for the open incident, these among them. */
  assign(...units: readonly number[]): void {
    this.work.assign(...units);
    this.panel = 'incident';
  }

  /** Let the map look at a unit or a place, in whichever window it is. */
  show(what: NonNullable<Console['lookAt']>): void {
    this.#lookAt(what);
    this.work.tell(what);
  }

  /** Where there is no map, nothing waits for one: it may come much later. */
  #lookAt(what: NonNullable<Console['lookAt']>): void {
    if (this.work.window !== 'work') this.lookAt = what;
  }

  /** What the other window's map shows, where there is none here. */
  #mapShows(view: View): void {
    if (this.work.window !== 'work') return;
    this.work.view = view;
    this.picture.centre = { lon: view.lon, lat: view.lat };
  }

  #follow(chosen: Chosen): void {
    if (chosen.unit !== undefined) this.picture.selected = chosen.unit;
    if (chosen.incident !== undefined) this.#showIncident(chosen.incident);
    if (chosen.write && this.work.window !== 'map') this.write(chosen.write as Address[]);
    if (chosen.read) this.mailroom?.readElsewhere(chosen.read);
    if (chosen.silenced) this.#hushed(chosen.silenced);
    if (chosen.layout !== undefined) this.#arrange(chosen.layout);
    if (chosen.map) this.#map.take(chosen.map);
    if (this.pointing.follow(chosen)) focus();
    if (chosen.works) this.#workWindow.answered(chosen.works);
    const mayWork = this.work.window !== 'map' && !this.locked && this.calls !== null;
    if (chosen.work && mayWork) {
      this.#workWindow.asked(chosen.work);
      if (chosen.work.what !== 'open') focus();
    }
    if (chosen.view) this.#mapShows(chosen.view);
    if (chosen.place) this.#lookAt({ place: chosen.place });
    else if (chosen.unit != null) this.#lookAt({ unit: chosen.unit });
  }

  /** A new call, at once; whatever is shown beside the map makes room. */
  takeCall(): void {
    this.#whenKnown(() => {
      if (this.mayTakeCalls) this.#askForWork('take');
    });
  }

  /** At once, or as soon as it is known what one may do: nobody presses a key for nothing. */
  #whenKnown(act: () => void): void {
    if (this.rights) act();
    else this.#begun = act;
  }

  /** The next of my calls. */
  nextCall(): void {
    if (this.mayTakeCalls) this.#askForWork('next');
  }

  /** The calls that wait. */
  showCalls(): void {
    this.#askForWork('list');
  }

  #askForWork(what: WorkAsked['what'], patience?: number): void {
    this.#workWindow.ask(what, this.work.window !== 'map', patience);
  }

  /** In this window; when it has shown only the map so far, beside it from now on. */
  #work({ what, key }: WorkAsked): void {
    if (this.work.window === 'map') {
      this.#map.say('gone');
      this.work.window = 'whole';
    }
    if (what === 'note' || what === 'close') {
      this.panel = 'incident';
      this.work.begin = what;
      return;
    }
    if (what === 'new' || what === 'conversations') {
      this.panel = 'messages';
      this.view = { page: what === 'new' ? 'new' : 'list' };
      return;
    }
    this.panel = 'calls';
    if (what === 'take') this.calls?.take('911', key);
    else if (what === 'next') this.calls?.next();
    else if (what === 'list') this.calls?.show(null);
  }

  /** It is told; and the other window comes to the front, as far as the browser lets it. */
  #workIsElsewhere(what: WorkAsked['what']): void {
    if (what === 'open') return; // nobody has asked for it here
    this.workElsewhere = this.now;
    (opener as Window | null)?.focus();
  }

  mayTakeCalls = $derived(this.rights?.['call']?.['take'] !== undefined);
  maySeeRadios = $derived(this.rights?.['radio']?.['see'] !== undefined);
  mayPatch = $derived(this.rights?.['group']?.['patch'] !== undefined);
  mayBreakGlass = $derived(this.rights?.['glass']?.['break'] !== undefined);
  /** Whether the pages of administration have anything for one. */
  mayAdminister = $derived(
    ['person', 'device', 'agreement', 'session', 'audit'].some(
      (kind) => this.rights?.[kind]?.['see'],
    ),
  );

  /** See another agency's open units for some minutes; it is told so. */
  async breakGlass(agency: number, reason: string, minutes: number): Promise<Answer<unknown>> {
    const answer = await this.send<Glass>('POST', '/api/glass', { agency, reason, minutes });
    await this.#loadGlasses();
    return answer;
  }

  async endGlass(id: number): Promise<Answer<unknown>> {
    const answer = await this.send('DELETE', `/api/glass/${id}`);
    await this.#loadGlasses();
    return answer;
  }

  /** Whether anything sounds that can be silenced. */
  get sounding(): boolean {
    const { hush } = this;
    const emergencies = this.board?.all('emergency') ?? [];
    return (
      this.emergencyWaits > hush.waits ||
      (this.mailroom?.alarms ?? []).some(({ id }) => !hush.message(id)) ||
      emergencies.some((each) => each.owner == null && !hush.emergency(each))
    );
  }

  override get alarming(): boolean {
    const unowned = this.board?.all('emergency').some(({ owner }) => owner == null) ?? false;
    return unowned || (this.mailroom?.alarms.length ?? 0) > 0;
  }

  protected override entered(frame: SignedIn, same: boolean): void {
    this.#watched = false;
    if (same && this.mailroom) return;
    this.#stop();
    const shelf = new Shelf(frame.me, localStorage, this.work.name);
    this.shelf = shelf;
    this.drafts = new Drafts(shelf);
    this.aside = new Aside(shelf);
    this.layouts = new Layouts(shelf);
    this.work.enter(shelf, this.drafts);
    const line = {
      send: (out: ClientFrame) => this.connection.send(out),
      next: () => this.connection.next(),
      live: () => this.connection.live && !this.locked,
      now: () => this.clock(),
    };
    const keep = {
      load: () => shelf.own<Action>('actions'),
      save: (actions: readonly Action[]) => shelf.setOwn('actions', actions),
    };
    const board = (this.board = new Board('board', keep, line, tooOldToDo));
    this.calls = new Calls(board, shelf, Number(frame.me.split(':')[1]));
    // A crash in the middle of a call: it is there again.
    if (this.calls.open) this.#openCall();
    this.#map.enter();
    if (this.work.window !== 'map') {
      const radio = {
        ...line,
        sendSpeech: (speech: Uint8Array<ArrayBuffer>) => this.connection.sendSpeech(speech),
        latency: () => this.connection.clock.latency,
        me: () => frame.me,
      };
      this.radioNetworks = new RadioNetworks(line);
      this.warned = new Warned(
        line,
        {
          load: () => shelf.own<Action>('confirmed'),
          save: (actions) => shelf.setOwn('confirmed', actions),
        },
        {
          load: () => shelf.get<string[]>('warned', []),
          save: (read) => shelf.set('warned', [...read]),
        },
        () => this.now,
      );
      this.radio = new Radio(radio, this.#sound, shelf.get<Hearing[]>('radio', []), (heard) =>
        shelf.set('radio', heard),
      );
    }
    const post = {
      ...line,
      resume: () => this.connection.resume(),
      get: <T>(path: string) => this.get<T>(path),
      told: (read: readonly string[]) => this.work.tell({ read: [...read] }),
    };
    const mailroom = (this.mailroom = new Mailroom(frame, shelf, post, tooOld));
    this.#leftBehind = new LeftBehind(shelf, this.#windows, {
      actions: (list) => board.adopt(list),
      messages: (list) => mailroom.adopt(list),
      reads: (list) => mailroom.adoptReads(list),
    });
  }

  /** Nothing of who was here goes on. */
  #stop(): void {
    this.#leftBehind?.stop();
    this.#leftBehind = null;
    this.radio?.stop();
    this.warned?.stop();
    this.calls?.stop();
    this.board?.stop();
    this.mailroom?.stop();
  }

  /** Picture and mail come from here on. */
  protected override opened(): void {
    this.#learning.over();
    if (!this.#watched) {
      this.#watched = this.connection.send({ t: 'watch', n: this.connection.next() });
    }
    this.board?.resumed();
    this.mailroom?.resumed(this.account?.boxes ?? {});
    this.radio?.resumed();
    this.radioNetworks?.resumed();
    this.warned?.resumed();
    void this.#leftBehind?.look();
    void this.#loadFences();
    void this.#loadConfig();
    void this.#loadRights();
  }

  protected override take(frame: ServerFrame): void {
    const toldElsewhere = frame.t === 'error' && frame.n != null && this.radio?.asked(frame.n);
    if (frame.t === 'error' && !frame.id && !toldElsewhere) this.problem = frame;
    if (frame.t === 'ok') this.problem = null;
    this.picture.take(frame);
    this.mailroom?.take(frame);
    this.board?.take(frame);
    this.radio?.take(frame);
    this.radioNetworks?.take(frame);
    this.warned?.take(frame);
    if (frame.t === 'done') this.drafts.taken(frame.id);
    if (frame.t === 'news' || frame.t === 'ok') this.#lookForCalls();
  }

  protected override spoken(speech: Speech): void {
    this.radio?.speech(speech);
  }

  protected override lost(): void {
    this.radio?.lost();
  }

  /** A call of mine that came to the front, perhaps from another computer, is shown. */
  #lookForCalls(): void {
    const begun = this.calls?.begun;
    this.calls?.look();
    if (this.calls?.begun !== begun) this.#openCall();
  }

  /** The form of the open call is seen, in whichever window. */
  #openCall(): void {
    if (this.work.window === 'map') this.#askForWork('open', AFTER_A_RELOAD);
    else this.panel = 'calls';
  }

  protected override left(): void {
    const { unsent } = this;
    if (unsent > 0) {
      this.signInProblem = `${this.signInProblem} ${strings.held.keptForYou(unsent)}`.trim();
    }
    this.#stop();
    this.hush = new Hush();
    this.mailroom = null;
    this.board = null;
    this.radio = null;
    this.radioNetworks = null;
    this.warned = null;
    this.shelf = null;
    this.drafts = new Drafts(null);
    this.aside = new Aside(null);
    this.layouts = new Layouts(null);
    this.work.clear();
    this.calls = null;
    this.pointing.stop();
    this.problem = null;
    this.picture = new Picture();
    this.fences = null;
    this.glasses = [];
    this.rights = null;
    this.#begun = null;
    this.#learning.over();
    this.view = { page: 'list' };
  }

  protected override seen(): Record<string, number> {
    if (this.mailroom) return Object.fromEntries(this.mailroom.book.cursors);
    const kept = keptSession();
    return kept?.me ? new Shelf(kept.me, localStorage).get('cursors', {}) : {};
  }

  async #loadRights(): Promise<void> {
    const answer = await this.#learning.ask<Rights>('/api/rights');
    if (!answer) return;
    this.rights = answer.rights;
    this.#begun?.();
    this.#begun = null;
    if (this.mayBreakGlass) await this.#loadGlasses();
  }

  async #loadGlasses(): Promise<void> {
    const answer = await this.#learning.ask<{ glasses: Glass[] }>('/api/glass');
    if (answer) this.glasses = answer.glasses;
  }

  async #loadConfig(): Promise<void> {
    const answer = await this.#learning.ask<{ pmtiles: string | null }>('/api/config');
    if (answer) this.ownMap = answer.pmtiles;
  }

  async #loadFences(): Promise<void> {
    const answer = await this.#learning.ask<GeoJSON.FeatureCollection>('/api/fences');
    if (!answer) return;
    this.fences = answer;
    this.picture.fenceNames = new Map(
      answer.features.map(({ properties }) => [
        Number(properties?.['id']),
        String(properties?.['name']),
      ]),
    );
  }
}
