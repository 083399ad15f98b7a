import { expect, test } from 'vitest';
import { declutter, SELECTED } from './declutter';
import { familyOf, marks } from './family';
import { relativeX, relativeY, toDegrees } from './mercator';
import { LOOK, Motion, NO_HEADING } from './motion';
import { pause } from './painter';
import { light } from './symbols';

const EVERYWHERE = { left: -1, top: -1, right: 1, bottom: 1 };

test('a unit glides to its fix over the interval at which it reports, then stands', () => {
  const motion = new Motion();
  motion.move(7, 0, 0, 0, 0, 10);
  motion.move(7, 1e-5, 0, 0, 1, 11);
  const slot = motion.slot(7)!;
  const [half] = motion.position(slot, 11.5);
  expect(half).toBeGreaterThan(4e-6);
  expect(half).toBeLessThan(6e-6);
  expect(motion.position(slot, 99)[0]).toBeCloseTo(1e-5, 10);
  expect(motion.fastest(11.5, EVERYWHERE)).toBeGreaterThan(0);
  expect(motion.fastest(99, EVERYWHERE)).toBe(0);
});

test('a fix that comes early starts from where the unit is drawn: no jump back', () => {
  const motion = new Motion();
  motion.move(1, 0, 0, null, 0, 0);
  motion.move(1, 1e-5, 0, null, 1, 1);
  const slot = motion.slot(1)!;
  const [before] = motion.position(slot, 1.5);
  motion.move(1, 2e-5, 0, null, 2, 1.5);
  expect(motion.position(slot, 1.5)[0]).toBeCloseTo(before, 9);
});

test('a leap of many kilometres is a leap', () => {
  const motion = new Motion();
  motion.move(1, 0, 0, null, 0, 0);
  motion.move(1, 0.01, 0, null, 1, 1);
  expect(motion.position(motion.slot(1)!, 1)[0]).toBeCloseTo(0.01, 6);
});

test('headings turn the shorter way, and unknown stays unknown', () => {
  const motion = new Motion();
  motion.move(1, 0, 0, 350, 0, 0);
  motion.move(1, 1e-6, 0, 10, 1, 1);
  const heading = motion.heading(motion.slot(1)!, 1.5);
  expect(heading > 350 || heading < 10).toBe(true);
  motion.move(1, 1e-6, 0, null, 2, 2);
  expect(motion.heading(motion.slot(1)!, 2)).toBe(NO_HEADING);
});

test('removing one unit leaves every other where it was', () => {
  const motion = new Motion();
  for (let id = 1; id <= 600; id++) motion.move(id, id * 1e-6, 0, null, 0, 0);
  motion.set(motion.slot(600)!, 'look', LOOK.selected);
  motion.remove(3);
  motion.remove(600_000);
  expect(motion.count).toBe(599);
  expect(motion.slot(3)).toBeUndefined();
  expect(motion.get(motion.slot(600)!, 'look')).toBe(LOOK.selected);
  for (const id of [1, 2, 4, 300, 599, 600]) {
    expect(motion.position(motion.slot(id)!, 0)[0]).toBeCloseTo(id * 1e-6, 10);
    expect(motion.id(motion.slot(id)!)).toBe(id);
  }
});

test('positions relative to Belize keep a centimetre in 32 bits', () => {
  const x = Math.fround(relativeX(-88.1975612));
  const y = Math.fround(relativeY(17.4995234));
  const [lon, lat] = toDegrees(x, y);
  expect(Math.abs(lon + 88.1975612)).toBeLessThan(1e-7);
  expect(Math.abs(lat - 17.4995234)).toBeLessThan(1e-7);
});

test('no two labels overlap, and the selected unit is always named', () => {
  const view = { width: 400, height: 200 };
  const at = (id: number, x: number, weight = 1) => ({ id, x, y: 100, width: 60, weight });
  expect(declutter([at(1, 100), at(2, 130), at(3, 300)], view, 20, 9)).toEqual([2, 3]);
  expect(declutter([at(1, 100, SELECTED), at(2, 130)], view, 20, 9)).toContain(1);
  expect(declutter([at(1, 50), at(2, 200), at(3, 330)], view, 20, 2)).toHaveLength(2);
});

test('any kind has a shape', () => {
  expect(['car', 'patrol_boat', 'foot', 'helicopter', 'post', 'zeppelin_x'].map(familyOf)).toEqual([
    'vehicle',
    'boat',
    'foot',
    'air',
    'post',
    'other',
  ]);
});

test('every agency has a letter of its own', () => {
  const codes = ['BPD', 'BDF', 'BCG', 'CED', 'INS', 'NEMO', 'BPD2'];
  const found = marks(codes.map((code, index) => ({ id: index + 1, code })));
  expect([...found.values()].slice(0, 6)).toEqual(['P', 'D', 'C', 'E', 'I', 'N']);
  expect(new Set(found.values()).size).toBe(codes.length);
});

test('letters are dark on light colours and white on dark ones', () => {
  expect(light('#ffd800')).toBe(true);
  expect(light('#1a3f8f')).toBe(false);
});

test('only what moves in sight is drawn often', () => {
  const motion = new Motion();
  motion.move(1, 0.5, 0.5, null, 0, 0);
  motion.move(1, 0.5001, 0.5, null, 1, 1);
  expect(motion.fastest(1.5, EVERYWHERE)).toBeGreaterThan(0);
  expect(motion.fastest(1.5, { left: 0, top: 0, right: 0.4, bottom: 0.4 })).toBe(0);
});

test('a picture is due when something has moved a quarter of a pixel', () => {
  expect(pause(0)).toBe(1000);
  expect(pause(0.01)).toBe(1000);
  expect(pause(2.5)).toBe(100);
  expect(pause(500)).toBe(33);
});

test('a first place and a leap are there at once, a movement begins', () => {
  const motion = new Motion();
  expect(motion.move(1, 0, 0, null, 0, 0)).toBe(true);
  expect(motion.move(1, 1e-6, 0, null, 1, 1)).toBe(false);
  expect(motion.move(1, 0.1, 0, null, 2, 2)).toBe(true);
});
