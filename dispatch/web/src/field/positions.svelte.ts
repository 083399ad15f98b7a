import type { ClientFrame, Fix, ServerFrame } from '../wire/frames';
import type { ServerClock } from '../wire/clock';
import { FixLog } from './fixLog';
import { reportEvery, type Circumstances } from './policy';

/** Where the tablet is, degrees, metres per second, metres; time by the server's clock (ms). */
export interface Here {
  time: number;
  lon: number;
  lat: number;
  speed: number | null;
  heading: number | null;
  accuracy: number;
}

export interface Reporting {
  send(frame: ClientFrame): boolean;
  next(): number;
  live(): boolean;
  clock: Pick<ServerClock, 'at' | 'known'>;
  /** Where positions outlive a restart. */
  disk: { keepFix(fix: Fix): void; dropFixes(times: readonly number[]): void };
  need(): Pick<Circumstances, 'emergency' | 'watched'>;
  moved(here: Here): void;
}

/** Chromium tells how full the battery is; others do not. */
interface Battery {
  level: number;
  charging: boolean;
}

const GIVE_UP = 20_000;
/** A receiver's own clock is believed where it agrees with the tablet's to so much. */
const SAME_CLOCK = 60_000;
const AGAIN = 1_000;

/** Asks the receiver where it is, as often as is worth it, and reports it. */
export class Positions {
  here = $state.raw<Here | null>(null);
  /** How many have not gone out, and since when. */
  waiting = $state(0);
  since = $state<number | null>(null);
  /** Why there is no position: the browser may not, or the receiver finds none. */
  trouble = $state<'' | 'denied' | 'none'>('');
  battery = $state<number | null>(null);
  #charging = false;
  #log: FixLog;
  #line: Reporting;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  #stopped = false;
  #batch: { n: number; times: number[] } | null = null;

  constructor(kept: readonly Fix[], line: Reporting) {
    this.#log = new FixLog(kept);
    this.#line = line;
    this.#count();
  }

  async start(): Promise<void> {
    this.#look();
    const { getBattery } = navigator as { getBattery?: () => Promise<Battery & EventTarget> };
    if (!getBattery) return;
    const battery = await getBattery.call(navigator);
    const read = (): void => {
      this.battery = Math.round(battery.level * 100);
      this.#charging = battery.charging;
    };
    read();
    battery.addEventListener('levelchange', read);
    battery.addEventListener('chargingchange', read);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#asking = this.#stopped = true;
  }

  /** Something has changed that makes it worth looking at once. */
  hurry(): void {
    if (!this.#asking) this.#look();
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (!navigator.geolocation) {
      this.trouble = 'none';
      return;
    }
    this.#asking = true;
    navigator.geolocation.getCurrentPosition(
      (position) => this.#found(position),
      (problem) => this.#again(problem.code === problem.PERMISSION_DENIED ? 'denied' : 'none'),
      { enableHighAccuracy: true, maximumAge: 0, timeout: GIVE_UP },
    );
  }

  #again(trouble: '' | 'denied' | 'none'): void {
    if (this.#stopped) return;
    this.#asking = false;
    this.trouble = trouble;
    const every = reportEvery({
      speed: this.here?.speed ?? null,
      battery: this.battery,
      charging: this.#charging,
      ...this.#line.need(),
    });
    this.#timer = setTimeout(() => this.#look(), every);
  }

  #found({ coords, timestamp }: GeolocationPosition): void {
    if (this.#stopped) return;
    const local = Math.abs(timestamp - Date.now()) < SAME_CLOCK ? timestamp : Date.now();
    const here: Here = {
      time: Math.round(this.#line.clock.at(local)),
      lon: coords.longitude,
      lat: coords.latitude,
      speed: coords.speed,
      heading: coords.heading === null || Number.isNaN(coords.heading) ? null : coords.heading,
      accuracy: coords.accuracy,
    };
    const newer = here.time > (this.here?.time ?? 0);
    this.here = here;
    // Before the first word of the server a time would be a guess.
    if (newer && this.#line.clock.known) this.#keep(fixOf(here, coords.altitude, this.battery));
    this.#line.moved(here);
    this.#again('');
  }

  #keep(fix: Fix): void {
    this.#line.disk.keepFix(fix);
    this.#line.disk.dropFixes(this.#log.add(fix));
    this.#flush();
  }

  /** Signed in: what waited goes first, in batches, with its own times. */
  resumed(): void {
    this.#flush();
  }

  lost(): void {
    this.#batch = null;
    this.#log.lost();
    this.#count();
  }

  /** A ping of that moment was answered. */
  reached(sent: number): void {
    this.#drop(this.#log.reached(sent));
  }

  take(frame: ServerFrame): void {
    const batch = this.#batch;
    if (!batch || !('n' in frame) || frame.n !== batch.n) return;
    if (frame.t !== 'ok' && frame.t !== 'error') return;
    this.#batch = null;
    if (frame.t === 'error' && ['unavailable', 'too_fast'].includes(frame.code)) {
      setTimeout(() => this.#flush(), frame.retry ?? AGAIN);
      return;
    }
    this.#drop(this.#log.remove(batch.times));
    this.#flush();
  }

  #flush(): void {
    const unsent = this.#batch || !this.#line.live() ? [] : this.#log.unsent();
    const [first] = unsent;
    if (first && unsent.length === 1) {
      if (this.#line.send({ t: 'position', p: first })) this.#log.sent(first[1], Date.now());
    } else if (first) {
      const n = this.#line.next();
      if (this.#line.send({ t: 'positions', n, p: unsent })) {
        this.#batch = { n, times: unsent.map(([, time]) => time) };
      }
    }
    this.#count();
  }

  #drop(times: readonly number[]): void {
    this.#line.disk.dropFixes(times);
    this.#count();
  }

  #count(): void {
    const { count, since } = this.#log.waiting;
    this.waiting = count;
    this.since = since;
  }
}

function fixOf(here: Here, altitude: number | null, battery: number | null): Fix {
  const within = (value: number, most: number): number =>
    Math.max(0, Math.min(most, Math.round(value)));
  return [
    0,
    here.time,
    Math.round(here.lon * 1e7),
    Math.round(here.lat * 1e7),
    here.speed === null ? null : within(here.speed * 100, 100_000),
    here.heading === null ? null : within(here.heading * 100, 36_000) % 36_000,
    within(here.accuracy * 100, 10_000_000),
    altitude === null ? null : Math.max(-1e6, Math.min(5e6, Math.round(altitude * 100))),
    battery,
  ];
}
