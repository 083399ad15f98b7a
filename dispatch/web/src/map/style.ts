import type {
  ExpressionSpecification,
  LayerSpecification,
  MapOptions,
  StyleSpecification,
} from 'maplibre-gl';
import type { View } from '../state/layout';
import type { Palette } from '../theme/palette';
import latinBold from '@fontsource/noto-sans/files/noto-sans-latin-600-normal.woff2?url';
import latinItalic from '@fontsource/noto-sans/files/noto-sans-latin-400-italic.woff2?url';
import latin from '@fontsource/noto-sans/files/noto-sans-latin-500-normal.woff2?url';

/** Beyond this there is nothing to see. */
export const WEST_SOUTH_EAST_NORTH: [number, number, number, number] = [-91.4, 14.7, -85.5, 19.9];
export const BELIZE: [number, number, number, number] = [-89.3, 15.85, -87.35, 18.52];

const absolute = (path: string): string => new URL(path, location.href).href;

/** Everything but the units: sources in `public/geo`, made by `npm run geodata`. */
export function mapStyle(palette: Palette, attribution: string): StyleSpecification {
  const file = (name: string): StyleSpecification['sources'][string] => ({
    type: 'geojson',
    data: absolute(`/geo/${name}.json`),
    tolerance: 0.2,
    ...(name === 'land' ? { attribution } : {}),
  });
  const names = [
    'shoals',
    'land',
    'water',
    'borders',
    'reef',
    'roads',
    'names',
    'places',
    'graticule',
  ];
  return {
    version: 8,
    'font-faces': {
      'Noto Sans Regular': absolute(latin),
      'Noto Sans Medium': absolute(latinBold),
      'Noto Sans Italic': absolute(latinItalic),
    },
    sources: {
      ...Object.fromEntries(names.map((name) => [name, file(name)])),
      ...overlays(),
    },
    layers: [...ground(palette), ...lettering(palette), ...overlayLayers(palette)],
  };
}

/** Sources that the console fills itself. */
function overlays(): StyleSpecification['sources'] {
  const empty = { type: 'FeatureCollection' as const, features: [] };
  return {
    warned: { type: 'geojson', data: empty },
    fences: { type: 'geojson', data: empty },
    trail: { type: 'geojson', data: empty, lineMetrics: true },
    reach: { type: 'geojson', data: empty },
  };
}

function ground(p: Palette): LayerSpecification[] {
  const only = (id: string): ['==', ['get', string], string] => ['==', ['get', 'id'], id];
  return [
    { id: 'sea', type: 'background', paint: { 'background-color': p.sea } },
    {
      id: 'shoals',
      type: 'fill',
      source: 'shoals',
      paint: {
        'fill-color': p.shoal,
        'fill-opacity': ['match', ['get', 'level'], 0, 0.45, 0.6],
        'fill-antialias': false,
      },
    },
    {
      id: 'abroad',
      type: 'fill',
      source: 'land',
      filter: only('land'),
      paint: { 'fill-color': p.abroad },
    },
    {
      id: 'belize',
      type: 'fill',
      source: 'land',
      filter: only('belize'),
      paint: { 'fill-color': p.land },
    },
    {
      id: 'lakes',
      type: 'fill',
      source: 'water',
      filter: only('lakes'),
      paint: { 'fill-color': p.lake },
    },
    {
      id: 'rivers',
      type: 'line',
      source: 'water',
      filter: only('rivers'),
      paint: {
        'line-color': p.river,
        'line-width': ['interpolate', ['linear'], ['zoom'], 7, 0.5, 12, 2],
      },
    },
    {
      id: 'coast',
      type: 'line',
      source: 'land',
      filter: only('land'),
      paint: {
        'line-color': p.coast,
        'line-width': ['interpolate', ['linear'], ['zoom'], 6, 0.6, 12, 1.4],
      },
    },
    {
      id: 'reef',
      type: 'line',
      source: 'reef',
      paint: { 'line-color': p.reef, 'line-width': 1.2, 'line-dasharray': [1, 2.5] },
      layout: { 'line-cap': 'round' },
    },
    {
      id: 'graticule',
      type: 'line',
      source: 'graticule',
      filter: ['==', ['get', 'degree'], true],
      paint: { 'line-color': p.graticule, 'line-width': 0.5, 'line-opacity': 0.4 },
    },
    {
      id: 'graticule-fine',
      type: 'line',
      source: 'graticule',
      filter: ['==', ['get', 'degree'], false],
      minzoom: 9.5,
      paint: { 'line-color': p.graticule, 'line-width': 0.5, 'line-opacity': 0.25 },
    },
    {
      id: 'district-borders',
      type: 'line',
      source: 'borders',
      filter: only('district'),
      paint: { 'line-color': p.district, 'line-width': 1, 'line-dasharray': [4, 2] },
    },
    ...roadLayers(p),
    {
      id: 'national-border',
      type: 'line',
      source: 'borders',
      filter: only('national'),
      paint: { 'line-color': p.border, 'line-width': 1.3, 'line-dasharray': [6, 2, 1, 2] },
    },
  ];
}

/** Highways from afar, roads closer, streets in a town. */
function roadLayers(p: Palette): LayerSpecification[] {
  const layout = { 'line-join': 'round', 'line-cap': 'round' } as const;
  return [
    {
      id: 'streets',
      type: 'line',
      source: 'roads',
      minzoom: 11.5,
      filter: ['==', ['get', 'rank'], 3],
      paint: {
        'line-color': p.road,
        'line-opacity': 0.6,
        'line-width': ['interpolate', ['linear'], ['zoom'], 11.5, 0.4, 14, 2, 17, 7],
      },
      layout,
    },
    {
      id: 'road-edges',
      type: 'line',
      source: 'roads',
      filter: ['<', ['get', 'rank'], 3],
      paint: {
        'line-color': p.roadEdge,
        'line-width': ['interpolate', ['linear'], ['zoom'], 7, 2, 12, 6, 17, 14],
      },
      layout,
    },
    {
      id: 'roads',
      type: 'line',
      source: 'roads',
      filter: ['<', ['get', 'rank'], 3],
      paint: {
        'line-color': p.road,
        'line-width': [
          'interpolate',
          ['linear'],
          ['zoom'],
          7,
          ['match', ['get', 'rank'], 1, 1.2, 0.5],
          12,
          ['match', ['get', 'rank'], 1, 3.5, 2.2],
          17,
          ['match', ['get', 'rank'], 1, 11, 8],
        ],
      },
      layout,
    },
  ];
}

function lettering(p: Palette): LayerSpecification[] {
  const halo = { 'text-halo-color': p.halo, 'text-halo-width': 1.4 };
  return [
    {
      id: 'graticule-names',
      type: 'symbol',
      source: 'graticule',
      filter: ['==', ['get', 'degree'], true],
      layout: {
        'symbol-placement': 'line',
        'symbol-spacing': 900,
        'text-field': ['get', 'name'],
        'text-font': ['Noto Sans Regular'],
        'text-size': 9.5,
        'text-offset': [0, -0.7],
      },
      paint: { 'text-color': p.graticule, 'text-halo-color': p.seaHalo, 'text-halo-width': 1 },
    },
    {
      id: 'sea-names',
      type: 'symbol',
      source: 'names',
      filter: ['==', ['get', 'kind'], 'sea'],
      layout: {
        'text-field': ['get', 'name'],
        'text-font': ['Noto Sans Italic'],
        'text-size': [
          'interpolate',
          ['linear'],
          ['zoom'],
          7,
          ['+', 9, ['*', 1.5, ['get', 'size']]],
          11,
          ['+', 12, ['*', 3, ['get', 'size']]],
        ],
        'text-letter-spacing': ['match', ['get', 'size'], 3, 0.3, 0.12],
        'text-max-width': 8,
      },
      paint: { 'text-color': p.seaText, 'text-halo-color': p.seaHalo, 'text-halo-width': 1.2 },
    },
    {
      id: 'country-names',
      type: 'symbol',
      source: 'names',
      filter: ['==', ['get', 'kind'], 'country'],
      layout: {
        'text-field': ['upcase', ['get', 'name']],
        'text-font': ['Noto Sans Regular'],
        'text-size': 13,
        'text-letter-spacing': 0.35,
      },
      paint: { 'text-color': p.landText, ...halo },
    },
    {
      id: 'district-names',
      type: 'symbol',
      source: 'names',
      filter: ['==', ['get', 'kind'], 'district'],
      maxzoom: 11,
      layout: {
        'text-field': ['upcase', ['get', 'name']],
        'text-font': ['Noto Sans Regular'],
        'text-size': ['interpolate', ['linear'], ['zoom'], 7, 9.5, 10, 14],
        'text-letter-spacing': 0.25,
        'text-max-width': 6,
      },
      paint: { 'text-color': p.landText, ...halo },
    },
    ...[0, 1, 2, 3]
      .map((rank): LayerSpecification => {
        const zoom = [5, 6.8, 9.3, 10.8][rank] ?? 9;
        return {
          id: `places-${rank}`,
          type: 'symbol',
          source: 'places',
          filter: ['==', ['get', 'rank'], rank],
          minzoom: zoom,
          layout: {
            'text-field': ['get', 'name'],
            'text-font': [rank < 2 ? 'Noto Sans Medium' : 'Noto Sans Regular'],
            'text-size': ['interpolate', ['linear'], ['zoom'], 7, 12.5 - rank, 12, 17 - 1.5 * rank],
            'text-variable-anchor-offset': [
              'left',
              [0.4, 0],
              'right',
              [-0.4, 0],
              'top',
              [0, 0.3],
              'bottom',
              [0, -0.3],
            ],
            'text-justify': 'auto',
            'text-padding': 4,
          },
          paint: { 'text-color': rank < 2 ? p.town : p.townFaint, ...halo },
        };
      })
      .reverse(),
    {
      id: 'road-names',
      type: 'symbol',
      source: 'roads',
      minzoom: 9.5,
      layout: {
        'symbol-placement': 'line',
        'symbol-spacing': 420,
        'text-field': ['get', 'name'],
        'text-font': ['Noto Sans Regular'],
        'text-size': 10.5,
      },
      paint: { 'text-color': p.townFaint, ...halo },
    },
    {
      id: 'place-dots',
      type: 'circle',
      source: 'places',
      filter: ['<', ['get', 'rank'], 2],
      paint: {
        'circle-radius': ['match', ['get', 'rank'], 0, 3, 2],
        'circle-color': p.halo,
        'circle-stroke-color': p.town,
        'circle-stroke-width': 1.2,
      },
    },
  ];
}

/** What is real, what is an exercise and what a test, on a light ground as on a dark one. */
const WARNED: ExpressionSpecification = [
  'match',
  ['get', 'status'],
  'Actual',
  '#e5443a',
  'Exercise',
  '#3f8fd8',
  '#8a8a8a',
];

/** Areas of warnings, geofences, the trail, and how far off a place may be, above the ground and below the units. */
function overlayLayers(p: Palette): LayerSpecification[] {
  return [
    {
      id: 'warned-areas',
      type: 'fill',
      source: 'warned',
      paint: { 'fill-color': WARNED, 'fill-opacity': 0.1 },
    },
    {
      id: 'warned-lines',
      type: 'line',
      source: 'warned',
      paint: { 'line-color': WARNED, 'line-width': 1.6, 'line-opacity': 0.8 },
    },
    {
      id: 'fence-areas',
      type: 'fill',
      source: 'fences',
      paint: { 'fill-color': p.fence, 'fill-opacity': 0.06 },
    },
    {
      id: 'fence-lines',
      type: 'line',
      source: 'fences',
      paint: {
        'line-color': p.fence,
        'line-width': 1.2,
        'line-opacity': 0.7,
        'line-dasharray': [3, 2],
      },
    },
    {
      id: 'fence-names',
      type: 'symbol',
      source: 'fences',
      minzoom: 9,
      layout: {
        'symbol-placement': 'line',
        'text-field': ['get', 'name'],
        'text-font': ['Noto Sans Regular'],
        'text-size': 10.5,
        'text-offset': [0, 0.9],
      },
      paint: { 'text-color': p.fence, 'text-halo-color': p.halo, 'text-halo-width': 1.2 },
    },
    {
      id: 'reach-area',
      type: 'fill',
      source: 'reach',
      paint: { 'fill-color': p.trail, 'fill-opacity': 0.14 },
    },
    {
      id: 'reach-edge',
      type: 'line',
      source: 'reach',
      paint: { 'line-color': p.trail, 'line-width': 1.6, 'line-dasharray': [2, 2] },
    },
    {
      id: 'trail-edge',
      type: 'line',
      source: 'trail',
      paint: { 'line-color': p.halo, 'line-width': 5, 'line-opacity': 0.7 },
      layout: { 'line-join': 'round', 'line-cap': 'round' },
    },
    {
      id: 'trail',
      type: 'line',
      source: 'trail',
      paint: { 'line-color': p.trail, 'line-width': 2.2, 'line-opacity': 0.95 },
      layout: { 'line-join': 'round', 'line-cap': 'round' },
    },
  ];
}

/** Where a map begins: where it was, or over all of Belize. */
export function begun(view: View | null): Partial<MapOptions> {
  return view
    ? { center: [view.lon, view.lat], zoom: view.zoom }
    : { bounds: BELIZE, fitBoundsOptions: { padding: 24 } };
}
