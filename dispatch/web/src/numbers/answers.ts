/** What the interface answers, as `/api/openapi.json` has it. Times are milliseconds, moments UTC. */

export const INTERVALS = [
  'call_to_dispatch',
  'dispatch_to_acknowledge',
  'turnout',
  'travel',
  'on_scene',
] as const;
export type IntervalName = (typeof INTERVALS)[number];
export const BY = ['agency', 'district', 'priority', 'type'] as const;
export type By = (typeof BY)[number];

export interface Judgement {
  priorities: number[];
  limit: number;
  percent: number;
  counted: number;
  within: number;
  met: boolean | null;
}
export interface Summary {
  interval: IntervalName;
  measured: number;
  running: number;
  unmeasured: number;
  p50: number | null;
  p90: number | null;
  p95: number | null;
  targets: Judgement[];
}
export interface Group {
  key: string;
  name: string;
  name_es: string;
  intervals: Summary[];
}
export interface NumbersAnswer {
  begin: number;
  end: number;
  by: By;
  agency: number;
  network: { agencies: number; cross_agency: number };
  intervals: Summary[];
  groups: Group[];
}
/** Kilometres of UTM 16N of the south-west corner; corners in degrees × 10⁷, lon before lat. */
export interface Square {
  east: number;
  north: number;
  incidents: number;
  corners: number[];
}
export interface HeatAnswer {
  begin: number;
  end: number;
  squares: Square[];
  elsewhere: number;
  unplaced: number;
}
