/** A headset's own button (WebHID): one talks as long as its hook switch is on. */

/** Usage of a telephony device's hook switch, and the page of all such (HID Usage Tables, 0x0B). */
const HOOK_SWITCH = 0x0b_00_20;
const TELEPHONY = 0x0b;

// Not in TypeScript's library: what of WebHID is used here.
interface Item {
  reportSize?: number;
  reportCount?: number;
  isRange?: boolean;
  usages?: readonly number[];
  usageMinimum?: number;
}
export interface Collection {
  inputReports?: readonly { reportId?: number; items?: readonly Item[] }[];
  children?: readonly Collection[];
}
export interface Device extends EventTarget {
  readonly productName: string;
  readonly opened: boolean;
  readonly collections: readonly Collection[];
  open(): Promise<void>;
  close(): Promise<void>;
}
export interface Hid extends EventTarget {
  getDevices(): Promise<Device[]>;
  requestDevice(wanted: { filters: { usagePage: number }[] }): Promise<Device[]>;
}
interface InputReport extends Event {
  readonly reportId: number;
  readonly data: DataView;
}

interface Place {
  report: number;
  bit: number;
}

/** Where a device tells of its hook switch; `null`: it has none. */
export function hookSwitch(collections: readonly Collection[]): Place | null {
  for (const { inputReports = [], children = [] } of collections) {
    for (const { reportId = 0, items = [] } of inputReports) {
      let bit = 0;
      for (const item of items) {
        const { reportSize = 0, reportCount = 0 } = item;
        const at = Array.from({ length: reportCount }, (_, n) => usage(item, n)).indexOf(
          HOOK_SWITCH,
        );
        if (at >= 0) return { report: reportId, bit: bit + at * reportSize };
        bit += reportSize * reportCount;
      }
    }
    const inside = hookSwitch(children);
    if (inside) return inside;
  }
  return null;
}

function usage({ isRange, usageMinimum = 0, usages = [] }: Item, n: number): number | undefined {
  return isRange ? usageMinimum + n : usages[n];
}

export class Headset {
  /** What it is called; `null`: there is none whose button talks. */
  name = $state<string | null>(null);
  /** One cannot be opened: another program has it. */
  busy = $state(false);
  readonly #hid: Hid | undefined;
  readonly #pressed: (down: boolean) => void;
  #device: Device | null = null;
  #down = false;
  #stop = new AbortController();

  constructor(hid: Hid | undefined, pressed: (down: boolean) => void) {
    this.#hid = hid;
    this.#pressed = pressed;
  }

  /** Whether this browser has headsets' buttons at all. */
  get possible(): boolean {
    return this.#hid !== undefined;
  }

  /** Use one that was allowed before, also when it is plugged in later. */
  async find(): Promise<void> {
    const hid = this.#hid;
    if (!hid) return;
    const { signal } = this.#stop;
    hid.addEventListener('connect', () => void this.#look(), { signal });
    hid.addEventListener('disconnect', () => this.#gone(), { signal });
    await this.#look();
  }

  /** Ask which one; the browser shows them. */
  async choose(): Promise<void> {
    const chosen = await this.#hid?.requestDevice({ filters: [{ usagePage: TELEPHONY }] });
    await this.#use(chosen ?? []);
  }

  close(): void {
    this.#stop.abort();
    this.#leave();
  }

  /** What was held with a headset is let go, and other programs may have it. */
  #leave(): void {
    this.#let(false);
    void this.#device?.close();
    this.#device = null;
    this.name = null;
  }

  async #look(): Promise<void> {
    if (!this.#device) await this.#use((await this.#hid?.getDevices()) ?? []);
  }

  async #use(devices: readonly Device[]): Promise<void> {
    for (const device of devices) {
      const place = hookSwitch(device.collections);
      if (!place || device === this.#device) continue;
      if (!(await this.#opened(device))) continue;
      if (this.#stop.signal.aborted) return device.close();
      this.#leave();
      this.#device = device;
      this.name = device.productName;
      const { signal } = this.#stop;
      device.addEventListener('inputreport', (event) => this.#take(event, place), { signal });
      return;
    }
  }

  async #opened(device: Device): Promise<boolean> {
    try {
      if (!device.opened) await device.open();
      this.busy = false;
    } catch {
      this.busy = true;
    }
    return device.opened;
  }

  #take(event: Event, { report, bit }: Place): void {
    const { reportId, data } = event as InputReport;
    if (event.target !== this.#device || reportId !== report || data.byteLength <= bit >> 3) return;
    this.#let(((data.getUint8(bit >> 3) >> (bit & 7)) & 1) === 1);
  }

  #let(down: boolean): void {
    if (down === this.#down) return;
    this.#down = down;
    this.#pressed(down);
  }

  /** One was pulled out: what was held is let go. */
  #gone(): void {
    if (!this.#device || this.#device.opened) return;
    this.#device = null;
    this.name = null;
    this.#let(false);
  }
}
