import { strings } from '../strings';
import type { Console } from './console.svelte';
import { startOfToday } from './format';
import type { Place } from './units';

type Fix = [time: number, lon: number, lat: number, speed: number | null, heading: number | null];

/** Today's trail of one unit: what the server stored, then what comes in while it is open. */
export class Trail {
  points = $state.raw<[lon: number, lat: number][]>([]);
  battery = $state<number | null>(null);
  problem = $state('');
  #last = 0;

  constructor(
    readonly desk: Console,
    readonly unit: number,
  ) {}

  async load(): Promise<void> {
    const now = this.desk.clock();
    const span = `from=${startOfToday(now)}&to=${now + 60_000}`;
    const [track, unit] = await Promise.all([
      this.desk.get<{ fixes: Fix[] }>(`/api/units/${this.unit}/track?${span}`),
      this.desk.get<{ latest: { battery: number | null } | null }>(`/api/units/${this.unit}`),
    ]);
    if (unit.ok) this.battery = unit.value.latest?.battery ?? null;
    if (!track.ok) {
      this.problem = strings.details.trailFailed;
      return;
    }
    const { fixes } = track.value;
    const end = fixes.at(-1)?.[0] ?? 0;
    const since = end < this.#last ? this.points.slice(-1) : [];
    this.#last = Math.max(this.#last, end);
    this.points = [
      ...fixes.map(([, lon, lat]): [number, number] => [lon / 1e7, lat / 1e7]),
      ...since,
    ];
  }

  /** It is not shared any more. */
  clear(): void {
    this.points = [];
    this.battery = null;
  }

  /** The unit moved while its trail is shown. */
  extend(place: Place): void {
    if (place.time <= this.#last) return;
    this.#last = place.time;
    this.points = [...this.points, [place.lon, place.lat]];
  }
}
