import * as maplibregl from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import { ownMapStyle } from '../map/ownMap';
import { BELIZE, mapStyle, WEST_SOUTH_EAST_NORTH } from '../map/style';
import { strings } from '../strings';
import type { Palette } from '../theme/palette';
import { HEAT } from './heat';

maplibregl.setWorkerUrl(workerUrl);

const SOURCE = 'heat';
const SQUARES = 'heat-squares';
const DOTS = 'heat-dots';
/** From here on a square is large enough to be drawn as one. */
const SQUARES_FROM_ZOOM = 9.5;
/** Pixels, by class: over the whole country the least is as large as the sign in the legend. */
const DOT_RADII = [5.5, 6.7, 7.9, 9.1, 10.3];
const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };

/** How the map looks. */
export interface Look {
  palette: Palette;
  light: boolean;
  /** The operator's own map, if there is one. */
  ownMap: string | null;
}

/** The console's ground with squares on it. */
export class HeatMap {
  readonly map: maplibregl.Map;
  #look: Look;
  #shapes = EMPTY;

  /** `over`: on which square the pointer rests; null: on none. Throws where there is no WebGL. */
  constructor(container: HTMLElement, look: Look, over: (square: number | null) => void) {
    this.#look = look;
    this.map = new maplibregl.Map({
      container,
      style: this.#style(),
      bounds: BELIZE,
      fitBoundsOptions: { padding: 12 },
      maxBounds: WEST_SOUTH_EAST_NORTH,
      maxZoom: 15,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      attributionControl: { compact: false },
      validateStyle: false,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    for (const layer of [SQUARES, DOTS]) {
      this.map.on('mousemove', layer, ({ features }) => {
        const id = features?.[0]?.id;
        over(typeof id === 'number' ? id : null);
      });
      this.map.on('mouseleave', layer, () => over(null));
    }
    // What is shown before the ground is there has no source to go into yet.
    this.map.on('style.load', () => this.show(this.#shapes));
    this.map.on('error', ({ error }) => console.warn('map:', error.message));
    if (look.ownMap) void this.#restyle();
  }

  look(look: Look): void {
    const { palette, ownMap } = this.#look;
    if (palette === look.palette && ownMap === look.ownMap) return;
    this.#look = look;
    void this.#restyle();
  }

  show(shapes: GeoJSON.FeatureCollection): void {
    this.#shapes = shapes;
    const source = this.map.getSource(SOURCE);
    if (source instanceof maplibregl.GeoJSONSource) void source.setData(shapes);
  }

  remove(): void {
    this.map.remove();
  }

  async #restyle(): Promise<void> {
    const look = this.#look;
    const base = this.#style();
    const style = look.ownMap ? await ownMapStyle(look.ownMap, look.light, base, [SOURCE]) : base;
    if (look === this.#look) this.map.setStyle(style, { diff: false });
  }

  #style(): maplibregl.StyleSpecification {
    const { palette, light } = this.#look;
    const style = mapStyle(palette, strings.map.attribution);
    // Names of places stay legible above the squares.
    const names = style.layers.findIndex(({ type }) => type === 'symbol');
    const layers = style.layers.toSpliced(
      names < 0 ? style.layers.length : names,
      0,
      ...heatLayers(palette, light),
    );
    return {
      ...style,
      sources: { ...style.sources, [SOURCE]: { type: 'geojson', data: this.#shapes } },
      layers,
    };
  }
}

function heatLayers(palette: Palette, light: boolean): maplibregl.LayerSpecification[] {
  const byLevel = (values: readonly (string | number)[]): unknown[] => [
    'match',
    ['get', 'level'],
    ...values.flatMap((value, level) => [level, value]),
    values[0],
  ];
  const colour = byLevel(HEAT[light ? 'light' : 'dark']) as unknown as string;
  return [
    {
      id: SQUARES,
      type: 'fill',
      source: SOURCE,
      minzoom: SQUARES_FROM_ZOOM,
      filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'fill-color': colour, 'fill-opacity': 0.85, 'fill-outline-color': palette.halo },
    },
    {
      id: DOTS,
      type: 'circle',
      source: SOURCE,
      maxzoom: SQUARES_FROM_ZOOM,
      filter: ['==', ['geometry-type'], 'Point'],
      layout: { 'circle-sort-key': ['get', 'level'] },
      paint: {
        'circle-color': colour,
        'circle-radius': byLevel(DOT_RADII) as unknown as number,
        'circle-stroke-color': palette.halo,
        'circle-stroke-width': 1.5,
      },
    },
  ];
}
