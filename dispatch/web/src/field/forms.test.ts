import { expect, test } from 'vitest';
import { FORMS, readable } from './forms';

const form = (name: string) => FORMS.find((one) => one.name === name)!;

test('a note is its text', () => {
  expect(readable(form('note'), { text: ' Door forced. ' })).toBe('Door forced.');
});

test('a form has a line for whatever was filled in', () => {
  expect(readable(form('boat'), { boat: 'B-2', hours: '3', remarks: '  ' })).toBe(
    'Use of boat\nBoat: B-2\nEngine hours: 3',
  );
});

test('an empty form says nothing', () => {
  for (const each of FORMS) expect(readable(each, {})).toBe('');
});

test('names of fields are names once', () => {
  for (const { fields } of FORMS) {
    expect(new Set(fields.map(({ name }) => name)).size).toBe(fields.length);
  }
});
