import type { ReportLine } from './answers';

/** How many of a line are not reached, and will not be: what failed, what nobody knows, what was missed. */
export const notReached = (line: ReportLine): number =>
  line.failed + line.uncertain + line.dropped + line.missed;

/** All lines together. */
export function totals(lines: readonly ReportLine[]): ReportLine {
  const sum: ReportLine = {
    channel: '',
    district: null,
    total: 0,
    waiting: 0,
    handed: 0,
    delivered: 0,
    failed: 0,
    uncertain: 0,
    dropped: 0,
    confirmed: 0,
    missed: 0,
    submissions: 0,
    cost: 0,
  };
  for (const line of lines) {
    for (const name of Object.keys(sum) as (keyof ReportLine)[]) {
      if (name !== 'channel' && name !== 'district') sum[name] += line[name];
    }
  }
  return sum;
}
