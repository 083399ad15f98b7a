import { describe, expect, it } from 'vitest';
import { durationText, scaleEnd, shareText } from './durations';
import { classes, classOf, classText, heatShapes } from './heat';
import { dayField, dayPeriod, presetPeriod } from './periods';
import { texts } from './strings';

describe('durations', () => {
  it('are written as clocks do, and never shorter than they were', () => {
    expect(
      [0, 1, 58_000, 60_000, 60_001, 725_000, 3_729_000, 90_000_000, null].map(durationText),
    ).toEqual(['0:00', '0:01', '0:58', '1:00', '1:01', '12:05', '1:02:09', '25:00:00', '–']);
  });
  it('have a scale with room', () => {
    expect(scaleEnd([])).toBeGreaterThan(1000);
    expect(scaleEnd([null, 5000, 9000])).toBeGreaterThan(9000);
  });
  it('never say that a target is reached when it is not', () => {
    expect(shareText(8999, 10_000, 90)).toBe('89.9');
    expect(shareText(3, 3, 90)).toBe('100.0');
  });
  it('say shares as the file of numbers does: rounded', () => {
    expect(shareText(2, 3, 90)).toBe('66.7');
    expect(shareText(1, 8, 90)).toBe('12.5');
    expect(shareText(8996, 10_000, 85)).toBe('90.0');
  });
});

describe('periods', () => {
  const noon = Date.parse('2026-11-03T18:00Z'); // 12:00 in Belize
  it('begin at midnight in Belize', () => {
    expect(presetPeriod('today', noon)).toEqual({
      begin: Date.parse('2026-11-03T06:00Z'),
      end: noon,
    });
    expect(presetPeriod('week', noon).begin).toBe(Date.parse('2026-10-27T06:00Z'));
    expect(presetPeriod('today', Date.parse('2026-11-04T05:59Z')).begin).toBe(
      Date.parse('2026-11-03T06:00Z'),
    );
  });
  it('of days have the whole last day', () => {
    expect(dayPeriod('2026-11-03', '2026-11-03')).toEqual({
      begin: Date.parse('2026-11-03T06:00Z'),
      end: Date.parse('2026-11-04T06:00Z'),
    });
    expect(dayField(Date.parse('2026-11-04T05:59Z'))).toBe('2026-11-03');
  });
  it('are none when they cannot be meant', () => {
    expect(dayPeriod('', '2026-11-03')).toBeNull();
    expect(dayPeriod('2026-11-04', '2026-11-03')).toBeNull();
    expect(dayPeriod('2026-13-41', '2026-11-03')).toBeNull();
  });
});

describe('heat', () => {
  it('has five classes at most, the first from one and the last within what is there', () => {
    for (const most of [1, 2, 3, 7, 40, 1000, 123_456]) {
      const bounds = classes(most);
      expect(bounds[0]).toBe(1);
      expect(bounds.length).toBeLessThanOrEqual(5);
      expect(bounds.at(-1)).toBeLessThanOrEqual(most);
      expect([...bounds].sort((a, b) => a - b)).toEqual(bounds);
      expect(new Set(bounds).size).toBe(bounds.length);
      expect(classOf(most, bounds)).toBe(bounds.length - 1);
      expect(classOf(1, bounds)).toBe(0);
    }
    expect(classes(0)).toEqual([]);
  });
  it('says what a class stands for', () => {
    expect([0, 1, 2].map((at) => classText(at, [1, 2, 4]))).toEqual(['1', '2–3', '4+']);
  });
  it('draws closed squares', () => {
    const corners = [-88e7, 17e7, -87e7, 17e7, -87e7, 18e7, -88e7, 18e7];
    const [shape, dot] = heatShapes(
      [{ east: 1, north: 2, incidents: 3, corners }],
      [1, 2],
    ).features;
    expect(shape?.properties).toEqual({ level: 1 });
    expect(shape?.geometry).toEqual({
      type: 'Polygon',
      coordinates: [
        [
          [-88, 17],
          [-87, 17],
          [-87, 18],
          [-88, 18],
          [-88, 17],
        ],
      ],
    });
    expect(dot?.id).toBe(shape?.id);
    expect(dot?.geometry).toEqual({ type: 'Point', coordinates: [-87.5, 17.5] });
  });
});

describe('texts', () => {
  it('are there in both languages', () => {
    const shape = (of: unknown): unknown =>
      typeof of === 'object' && of !== null
        ? Object.fromEntries(Object.entries(of).map(([name, value]) => [name, shape(value)]))
        : typeof of;
    expect(shape(texts.es)).toEqual(shape(texts.en));
  });
});
