import { circle } from '../map/mercator';
import type { InForce } from '../wire/items';
import type { AreaShown } from './answers';
import { between, type Shaping } from './shaping';

/** The area as shapes of the map. */
export function areaShapes(
  area: Pick<AreaShown, 'polygons' | 'circles'> | null,
  properties: GeoJSON.GeoJsonProperties = {},
): GeoJSON.FeatureCollection {
  const rings = [
    ...(area?.polygons ?? []).map((ring) => ring.map(([lon, lat]) => [lon / 1e7, lat / 1e7])),
    ...(area?.circles ?? []).map(({ lon, lat, radius }) => circle(lon / 1e7, lat / 1e7, radius)),
  ];
  return {
    type: 'FeatureCollection',
    features: rings.map((ring) => ({
      type: 'Feature',
      properties,
      geometry: { type: 'Polygon', coordinates: [ring] },
    })),
  };
}

/** The areas of warnings, each with its status. */
export const warnedShapes = (warnings: readonly InForce[]): GeoJSON.FeatureCollection => ({
  type: 'FeatureCollection',
  features: warnings.flatMap((one) => areaShapes(one, { status: one.status }).features),
});

/** The corners that are being set or moved, the lines between them, and where one can be added. */
export function drawingShapes(shaping: Shaping | null): GeoJSON.FeatureCollection {
  if (!shaping) return { type: 'FeatureCollection', features: [] };
  const { points, line, chosen } = shaping;
  const closed = points.length > 2 && !line ? points.slice(0, 1) : [];
  const border: GeoJSON.Feature[] =
    points.length < 2
      ? []
      : [
          {
            type: 'Feature',
            properties: {},
            geometry: { type: 'LineString', coordinates: [...points, ...closed] },
          },
        ];
  const mark = (kind: string, at: [number, number]): GeoJSON.Feature => ({
    type: 'Feature',
    properties: { kind },
    geometry: { type: 'Point', coordinates: at },
  });
  return {
    type: 'FeatureCollection',
    features: [
      ...border,
      ...between(shaping).map((at) => mark('between', at)),
      ...points.map((at, number) => mark(number === chosen ? 'chosen' : 'corner', at)),
    ],
  };
}

/** West, south, east, north of shapes; null of none. */
export function boundsOf(
  shapes: GeoJSON.FeatureCollection,
): [number, number, number, number] | null {
  const points = shapes.features.flatMap(({ geometry }) =>
    geometry.type === 'Polygon' ? geometry.coordinates.flat() : [],
  );
  if (points.length === 0) return null;
  const lons = points.map(([lon]) => lon ?? 0);
  const lats = points.map(([, lat]) => lat ?? 0);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}
