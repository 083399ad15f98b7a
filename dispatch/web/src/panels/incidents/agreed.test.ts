import { expect, test } from 'vitest';
import { Agreed } from './agreed';

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
