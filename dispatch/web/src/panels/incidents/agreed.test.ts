import { expect, test } from 'vitest';
import { Agreed, toldOf } from './agreed';

test('what was answered holds for the same units, in whichever order, and adds up', () => {
  const agreed = new Agreed();
  expect(agreed.about([4, 7])).toEqual({});
  expect(agreed.about([4, 7], { knowing: [4] })).toEqual({ knowing: [4] });
  expect(agreed.about([7, 4], { divert: true })).toEqual({ divert: true, knowing: [4] });
  expect(agreed.about([4, 7], { knowing: [7] })).toEqual({ divert: true, knowing: [4, 7] });
});

test('other units are asked about anew, and so are the same ones after that', () => {
  const agreed = new Agreed();
  agreed.about([4, 7], { divert: true, knowing: [4] });
  expect(agreed.about([4, 8])).toEqual({});
  expect(agreed.about([4, 7], { anyway: true })).toEqual({ anyway: true });
  agreed.forget();
  expect(agreed.about([4, 7])).toEqual({});
});

test('a question names the units whose button it tells of, and no unit beside them', () => {
  const units = [
    { id: 1, callsign: 'P-1' },
    { id: 2, callsign: 'P-12' },
    { id: 3, callsign: 'Sierra: 3' },
  ];
  const says = 'the red button was pressed, and that emergency is not over.';
  expect(toldOf(`P-12: ${says}`, units)).toEqual([2]);
  expect(toldOf(`P-1, Sierra: 3: ${says}`, units)).toEqual([1, 3]);
  expect(toldOf('', units)).toEqual([]);
});
