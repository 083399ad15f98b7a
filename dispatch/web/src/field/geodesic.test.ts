import { expect, test } from 'vitest';
import { way } from './geodesic';

// Values by PROJ (pyproj.Geod of WGS84), which uses another formula.
test('a degree of latitude on the equator and of longitude there', () => {
  expect(way({ lon: 0, lat: 0 }, { lon: 0, lat: 1 }).metres).toBeCloseTo(110_574.389, 2);
  const east = way({ lon: -88, lat: 0 }, { lon: -87, lat: 0 });
  expect(east.metres).toBeCloseTo(111_319.491, 2);
  expect(east.degrees).toBeCloseTo(90, 6);
});

test('Flinders Peak to Buninyong, the example of the surveyors', () => {
  const line = way(
    { lon: 144.424_867_89, lat: -37.951_033_42 },
    { lon: 143.926_495_53, lat: -37.652_821_14 },
  );
  expect(line.metres).toBeCloseTo(54_972.271, 1);
  expect(line.degrees).toBeCloseTo(306.868_16, 4);
});

test('from Belize City to Belmopan', () => {
  const line = way({ lon: -88.1976, lat: 17.4995 }, { lon: -88.764, lat: 17.251 });
  expect(line.metres).toBeCloseTo(66_177.613, 2);
  expect(line.degrees).toBeCloseTo(245.528_72, 4);
});

test('where one is, one is there', () => {
  const here = { lon: -88.1976, lat: 17.4995 };
  expect(way(here, here)).toEqual({ metres: 0, degrees: 0 });
});

test('there and back are the same distance, and the far side gives numbers', () => {
  const [a, b] = [
    { lon: -88.2, lat: 17.5 },
    { lon: -87.5, lat: 16.2 },
  ];
  expect(way(a, b).metres).toBeCloseTo(way(b, a).metres, 6);
  const far = way({ lon: 0, lat: 0.3 }, { lon: 179.9, lat: -0.2 });
  expect(Number.isFinite(far.metres) && Number.isFinite(far.degrees)).toBe(true);
});
