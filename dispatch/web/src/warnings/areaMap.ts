import * as maplibregl from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import { ownMapStyle } from '../map/ownMap';
import { BELIZE, mapStyle, WEST_SOUTH_EAST_NORTH } from '../map/style';
import { strings } from '../strings';
import type { Palette } from '../theme/palette';
import type { AreaShown } from './answers';
import { areaShapes, boundsOf, drawingShapes } from './shapes';

maplibregl.setWorkerUrl(workerUrl);

const AREA = 'warned';
const DRAWING = 'drawing';
const SOURCES = [AREA, DRAWING];
const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };

/** How the map looks; `colour`: of the area. */
export interface Look {
  palette: Palette;
  light: boolean;
  /** The operator's own map, if there is one. */
  ownMap: string | null;
  colour: string;
}

/** The console's ground with the area on it, and with what is being drawn. */
export class AreaMap {
  readonly map: maplibregl.Map;
  #look: Look;
  #shapes = { [AREA]: EMPTY, [DRAWING]: EMPTY } as Record<string, GeoJSON.FeatureCollection>;
  #drawing = false;

  /** `point`: somebody points there while drawing, degrees. Throws where there is no WebGL. */
  constructor(
    container: HTMLElement,
    look: Look,
    on: { point: (lon: number, lat: number) => void; finish: () => void },
  ) {
    this.#look = look;
    this.map = new maplibregl.Map({
      container,
      style: this.#style(),
      bounds: BELIZE,
      fitBoundsOptions: { padding: 12 },
      maxBounds: WEST_SOUTH_EAST_NORTH,
      maxZoom: 16,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      attributionControl: { compact: true },
      validateStyle: false,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.on('click', ({ lngLat, originalEvent }) => {
      // The second of a double click ends the border, and sets no corner.
      if (this.#drawing && originalEvent.detail < 2) on.point(lngLat.lng, lngLat.lat);
    });
    this.map.on('dblclick', (event) => {
      if (!this.#drawing) return;
      event.preventDefault();
      on.finish();
    });
    // What is shown before the ground is there has no source to go into yet.
    this.map.on('style.load', () => {
      for (const name of SOURCES) this.#put(name, this.#shapes[name] ?? EMPTY);
    });
    this.map.on('error', ({ error }) => console.warn('map:', error.message));
    if (look.ownMap) void this.#restyle();
  }

  look(look: Look): void {
    const { palette, ownMap, colour } = this.#look;
    if (palette === look.palette && ownMap === look.ownMap && colour === look.colour) return;
    this.#look = look;
    void this.#restyle();
  }

  /** The area; the map goes there when it is another than before. */
  show(area: AreaShown | null): void {
    const shapes = areaShapes(area);
    if (JSON.stringify(shapes) === JSON.stringify(this.#shapes[AREA])) return;
    this.#put(AREA, shapes);
    const bounds = boundsOf(shapes);
    if (bounds && !this.#drawing) {
      this.map.fitBounds(bounds, { padding: 40, maxZoom: 12, duration: 0 });
    }
  }

  draw(points: readonly [number, number][] | null, line = false): void {
    this.#drawing = points !== null;
    this.map.getCanvas().style.cursor = this.#drawing ? 'crosshair' : '';
    this.#put(DRAWING, drawingShapes(points ?? [], line));
  }

  /** The middle of what is shown, degrees. */
  get middle(): [number, number] {
    const { lng, lat } = this.map.getCenter();
    return [lng, lat];
  }

  remove(): void {
    this.map.remove();
  }

  #put(name: string, shapes: GeoJSON.FeatureCollection): void {
    this.#shapes[name] = shapes;
    const source = this.map.getSource(name);
    if (source instanceof maplibregl.GeoJSONSource) void source.setData(shapes);
  }

  async #restyle(): Promise<void> {
    const look = this.#look;
    const base = this.#style();
    const style = look.ownMap ? await ownMapStyle(look.ownMap, look.light, base, SOURCES) : base;
    if (look === this.#look) this.map.setStyle(style, { diff: false });
  }

  #style(): maplibregl.StyleSpecification {
    const { palette, colour } = this.#look;
    const style = mapStyle(palette, strings.map.attribution);
    // Names of places stay legible above the area.
    const names = style.layers.findIndex(({ type }) => type === 'symbol');
    const layers = style.layers.toSpliced(
      names < 0 ? style.layers.length : names,
      0,
      ...areaLayers(colour, palette),
    );
    const own = Object.fromEntries(
      SOURCES.map((name) => [
        name,
        { type: 'geojson' as const, data: this.#shapes[name] ?? EMPTY },
      ]),
    );
    return { ...style, sources: { ...style.sources, ...own }, layers };
  }
}

function areaLayers(colour: string, palette: Palette): maplibregl.LayerSpecification[] {
  return [
    {
      id: 'warned-fill',
      type: 'fill',
      source: AREA,
      paint: { 'fill-color': colour, 'fill-opacity': 0.28 },
    },
    {
      id: 'warned-line',
      type: 'line',
      source: AREA,
      paint: { 'line-color': colour, 'line-width': 2.5 },
    },
    {
      id: 'drawing-line',
      type: 'line',
      source: DRAWING,
      paint: { 'line-color': palette.trail, 'line-width': 2, 'line-dasharray': [2, 1.5] },
    },
    {
      id: 'drawing-corner',
      type: 'circle',
      source: DRAWING,
      filter: ['==', ['geometry-type'], 'Point'],
      paint: {
        'circle-color': palette.trail,
        'circle-radius': 5,
        'circle-stroke-color': palette.halo,
        'circle-stroke-width': 2,
      },
    },
  ];
}
