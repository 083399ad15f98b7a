import { circle } from '../map/mercator';
import type { InForce } from '../wire/items';
import type { AreaShown } from './answers';

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

/** The corners that were set so far, and the lines between them; `open`: of a line, no border. */
export function drawingShapes(
  points: readonly [number, number][],
  open = false,
): GeoJSON.FeatureCollection {
  const line: GeoJSON.Feature[] =
    points.length < 2
      ? []
      : [
          {
            type: 'Feature',
            properties: {},
            geometry: {
              type: 'LineString',
              coordinates: [...points, ...(points.length > 2 && !open ? points.slice(0, 1) : [])],
            },
          },
        ];
  const corners = points.map((at): GeoJSON.Feature => ({
    type: 'Feature',
    properties: {},
    geometry: { type: 'Point', coordinates: at },
  }));
  return { type: 'FeatureCollection', features: [...line, ...corners] };
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
