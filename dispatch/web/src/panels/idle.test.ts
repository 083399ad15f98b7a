import { expect, test } from 'vitest';
import { idle, type Found } from './idle';

const nothing: Found = {
  incident: false,
  unit: false,
  unowned: 0,
  emergencies: 0,
  messages: 0,
  sounding: false,
  held: 0,
  requests: 0,
  calls: 0,
  mayTakeCalls: false,
  mayBreakGlass: false,
  map: false,
  line: false,
};

test('a key that finds nothing to do says what is missing', () => {
  expect(idle('assign', nothing)).toBe('incident');
  expect(idle('message', nothing)).toBe('unit');
  expect(idle('own', nothing)).toBe('unowned');
  expect(idle('silence', nothing)).toBe('silent');
  expect(idle('emergencies', { ...nothing, emergencies: 1 })).toBe('emergencies');
  expect(idle('next_call', nothing)).toBe('mayTakeCalls');
  expect(idle('next_call', { ...nothing, mayTakeCalls: true })).toBe('calls');
});

test('a key that does something says nothing', () => {
  const some: Found = { ...nothing, incident: true, sounding: true, emergencies: 2, map: true };
  for (const act of ['assign', 'write', 'silence', 'emergencies', 'home'] as const) {
    expect(idle(act, some)).toBeNull();
  }
  for (const act of ['incidents', 'theme', 'help', 'back'] as const) {
    expect(idle(act, nothing)).toBeNull();
  }
});
