import { describe, expect, it } from 'vitest';
import { Headset, hookSwitch, type Collection, type Device, type Hid } from './headset.svelte';

/** A headset as its report descriptor tells: mute and hook switch, a bit each, after three others. */
const TELEPHONY: Collection[] = [
  { inputReports: [{ reportId: 1, items: [{ reportSize: 8, reportCount: 1, usages: [0x0c_00_e9] }] }] }, // prettier-ignore
  {
    children: [
      {
        inputReports: [
          {
            reportId: 2,
            items: [
              { reportSize: 1, reportCount: 3, isRange: true, usageMinimum: 0x0b_00_b0 },
              { reportSize: 4, reportCount: 2, usages: [] },
              { reportSize: 1, reportCount: 2, usages: [0x0b_00_2f, 0x0b_00_20] },
            ],
          },
        ],
      },
    ],
  },
];

class Plugged extends EventTarget implements Device {
  readonly productName = 'Headset 20';
  opened = false;
  readonly collections: readonly Collection[];

  constructor(collections = TELEPHONY) {
    super();
    this.collections = collections;
  }
  open(): Promise<void> {
    this.opened = true;
    return Promise.resolve();
  }
  close(): Promise<void> {
    this.opened = false;
    return Promise.resolve();
  }
  says(reportId: number, ...bytes: number[]): void {
    const data = new DataView(new Uint8Array(bytes).buffer);
    this.dispatchEvent(Object.assign(new Event('inputreport'), { reportId, data }));
  }
}

class Port extends EventTarget implements Hid {
  allowed: Device[] = [];
  getDevices = (): Promise<Device[]> => Promise.resolve(this.allowed);
  requestDevice = (): Promise<Device[]> => Promise.resolve(this.allowed);
}

describe('a headset', () => {
  it('has its hook switch where its report descriptor says', () => {
    expect(hookSwitch(TELEPHONY)).toEqual({ report: 2, bit: 12 });
    expect(hookSwitch(TELEPHONY.slice(0, 1))).toBeNull();
  });

  it('talks as long as its switch is on, and no longer than it is there', async () => {
    const told: boolean[] = [];
    const port = new Port();
    const headset = new Headset(port, (down) => told.push(down));
    await headset.find();
    expect([headset.possible, headset.name]).toEqual([true, null]);
    const device = new Plugged();
    port.allowed = [new Plugged([]), device];
    port.dispatchEvent(new Event('connect'));
    await new Promise((resolve) => setTimeout(resolve));
    expect(headset.name).toBe('Headset 20');
    device.says(1, 0xff, 0xff);
    device.says(2, 0x00, 0x10);
    device.says(2, 0x07, 0x18);
    device.says(2, 0x00);
    device.says(2, 0x00, 0x08);
    device.says(2, 0x00, 0x10);
    expect(told).toEqual([true, false, true]);
    await device.close();
    port.dispatchEvent(new Event('disconnect'));
    expect(told).toEqual([true, false, true, false]);
    expect(headset.name).toBeNull();
  });

  it('that is chosen instead of another lets go what that held, and closes it', async () => {
    const told: boolean[] = [];
    const port = new Port();
    const headset = new Headset(port, (down) => told.push(down));
    const first = new Plugged();
    port.allowed = [first];
    await headset.choose();
    first.says(2, 0x00, 0x10);
    const second = new Plugged();
    port.allowed = [second];
    await headset.choose();
    expect(told).toEqual([true, false]);
    expect([first.opened, second.opened]).toEqual([false, true]);
    first.says(2, 0x00, 0x10);
    second.says(2, 0x00, 0x10);
    expect(told).toEqual([true, false, true]);
  });

  it('that another program has is said to be busy', async () => {
    const port = new Port();
    const device = new Plugged();
    device.open = () => Promise.reject(new DOMException('Taken', 'NotAllowedError'));
    port.allowed = [device];
    const headset = new Headset(port, () => undefined);
    await headset.choose();
    expect([headset.busy, headset.name]).toEqual([true, null]);
  });

  it('that is chosen is used until nobody sits here, and none is possible without WebHID', async () => {
    const told: boolean[] = [];
    const port = new Port();
    const device = new Plugged();
    port.allowed = [device];
    const headset = new Headset(port, (down) => told.push(down));
    await headset.choose();
    device.says(2, 0x00, 0x10);
    headset.close();
    device.says(2, 0x00, 0x10);
    expect(told).toEqual([true, false]);
    expect(device.opened).toBe(false);
    expect(new Headset(undefined, () => undefined).possible).toBe(false);
  });
});
