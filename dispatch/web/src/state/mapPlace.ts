import { isTextField } from '../panels/keys';
import { AfterTyping } from './afterTyping';
import { MapWindow, type MapSaid } from './mapWindow';
import { RollCall } from './rollCall';
import type { Workplace } from './workplace.svelte';

/**
 * Where the map is: in this window, or in one of its own. Then the work has its place here, until
 * that window is closed.
 */
export class MapPlace {
  #windows: MapWindow;
  #afterTyping = new AfterTyping(() => this.#typing());

  constructor(
    private readonly work: Workplace,
    me: () => string | null,
  ) {
    const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('psn:windows') : null;
    const rollCall = new RollCall(work.name, channel, me);
    this.#windows = new MapWindow(rollCall, (elsewhere) => this.#give(elsewhere));
    globalThis.addEventListener('pagehide', () => this.say('gone'));
  }

  /** Somebody sits here now: windows with only the map are told of, and asked for. */
  enter(): void {
    this.say('here');
    const { window, name } = this.work;
    if (window === 'whole') this.work.tell({ map: { what: 'who', window: name } });
  }

  /** Other windows learn of this one, if it has only the map, and of what that shows. */
  say(what: 'here' | 'gone'): void {
    const { window, name, view } = this.work;
    if (window !== 'map') return;
    this.work.tell({ map: { what, window: name }, ...(view ? { view } : {}) });
  }

  /** Another window says this of itself. */
  take(said: MapSaid): void {
    if (said.what === 'who') this.say('here');
    else if (this.work.asked === 'whole') this.#windows.take(said);
  }

  #give(elsewhere: boolean): void {
    if (this.work.asked !== 'whole') return;
    this.#afterTyping.do(() => (this.work.window = elsewhere ? 'work' : 'whole'));
  }

  /** Whether somebody types in what changes its place with the map. */
  #typing(): boolean {
    const { activeElement } = document;
    const moves = this.work.panel === 'incident' || activeElement?.closest('main') != null;
    return moves && isTextField(activeElement);
  }
}
