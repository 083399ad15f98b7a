import { expect, test } from 'vitest';
import { actionOf, deedText } from './deeds';

test('a deed asks for an action, with nothing that was not said', () => {
  expect(actionOf({ do: 'assign', incident: 4, units: [1, 2], text: '' })).toEqual({
    what: 'incident.assign',
    with: { incident: 4, units: [1, 2] },
  });
  expect(actionOf({ do: 'close', incident: 4, outcome: 'done', text: 'all well' })).toEqual({
    what: 'incident.close',
    with: { incident: 4, outcome: 'done', text: 'all well' },
  });
  expect(actionOf({ do: 'welfare', unit: 1, every: 900 })).toEqual({
    what: 'welfare.start',
    with: { unit: 1, every: 900 },
  });
  expect(actionOf({ do: 'find_place', text: 'Hattieville' })).toBeNull();
});

test('what was asked for is told in words, with nothing left out', () => {
  const named = { unit: (id: number) => `P-${id}`, incident: (id: number) => `BPD-26-${id}` };
  expect(deedText({ what: 'incident.assign', with: { incident: 4, units: [1, 2] } }, named)).toBe(
    'Send P-1, P-2 to BPD-26-4',
  );
  const with_ = { incident: 4, units: [1], text: 'go north' };
  expect(deedText({ what: 'incident.assign', with: with_ }, named)).toBe(
    'Send P-1 to BPD-26-4, with the words “go north”',
  );
  expect(deedText({ what: 'incident.note', with: { incident: 4, text: 'Seen' } }, named)).toBe(
    'Note in BPD-26-4: “Seen”',
  );
  expect(deedText({ what: 'unit.status', with: { unit: 1, status: 'clear' } }, named)).toBe(
    'P-1 is Clear',
  );
  expect(deedText({ what: 'alarm.take', with: { alarm: 1 } }, named)).toBe('Take care of an alarm');
  const close = { incident: 5, outcome: 'nothing_found', text: 'quiet' };
  expect(deedText({ what: 'incident.close', with: close }, named)).toMatch(
    /^Close an incident: .*5.*“quiet”, “Nothing found”$/,
  );
  expect(deedText({ what: 'new.thing', with: {} }, named)).toBe('new thing');
});
