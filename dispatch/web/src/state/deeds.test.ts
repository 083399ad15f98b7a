import { expect, test } from 'vitest';
import { actionOf } from './deeds';

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
