import { SvelteMap } from 'svelte/reactivity';
import type { Heard, RadioGateway, RadioNetwork } from '../admin/answers';
import type { ClientFrame, ServerFrame } from '../wire/frames';

/** What the topic `radio` shows people (docs/wire.md, "Radio gateways"). */
type Item = { id: number } & (
  | { is: 'radio_network'; name: string; agency: number }
  | { is: 'radio_talkgroup'; network: number; number: number; group: string; name: string }
  | { is: 'radio'; network: number; number: number; unit: number; callsign: string }
  | ({ is: 'radio_heard'; network: number } & Heard)
  | ({ is: 'radio_state'; network: number } & RadioGateway)
);

export interface Line {
  send(frame: ClientFrame): boolean;
  next(): number;
}

/** A radio network as it is now: what `RadioState` shows, and who was heard, the last first. */
export type Network = Pick<RadioNetwork, 'id' | 'name' | 'gateways' | 'talkgroups' | 'radios'> & {
  heard: Heard[];
};

/** Radio networks, followed as long as somebody looks at them. */
export class RadioNetworks {
  readonly #items = new SvelteMap<string, Item>();
  readonly #line: Line;
  #open = false;

  constructor(line: Line) {
    this.#line = line;
  }

  open(): void {
    this.#open = true;
    this.resumed();
  }

  close(): void {
    this.#open = false;
    this.#items.clear();
    this.#line.send({ t: 'unfollow', n: this.#line.next(), topic: 'radio' });
  }

  /** There is a connection. */
  resumed(): void {
    if (this.#open) this.#line.send({ t: 'follow', n: this.#line.next(), topic: 'radio' });
  }

  take(frame: ServerFrame): void {
    if (frame.t !== 'news' || frame.topic !== 'radio') return;
    if (frame.whole) this.#items.clear();
    for (const item of (frame.set ?? []) as unknown as Item[])
      this.#items.set(`${item.is}:${item.id}`, item);
    for (const address of frame.gone ?? []) this.#items.delete(address);
  }

  #all<K extends Item['is']>(is: K, network: number): Extract<Item, { is: K }>[] {
    return [...this.#items.values()].filter(
      (item): item is Extract<Item, { is: K }> =>
        item.is === is && 'network' in item && item.network === network,
    );
  }

  networks = $derived.by<Network[]>(() =>
    [...this.#items.values()]
      .filter((item) => item.is === 'radio_network')
      .map(({ id, name }) => ({
        id,
        name,
        gateways: this.#all('radio_state', id),
        talkgroups: this.#all('radio_talkgroup', id).map((each) => ({
          id: each.id,
          number: each.number,
          group: Number(each.group.split(':')[1]),
          name: each.name,
          mine: false,
        })),
        radios: this.#all('radio', id).map((each) => ({ ...each, agency: 0, mine: false })),
        heard: this.#all('radio_heard', id).sort((one, other) => other.last - one.last),
      })),
  );
}
