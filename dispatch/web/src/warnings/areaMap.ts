import * as maplibregl from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import { ownMapStyle } from '../map/ownMap';
import { BELIZE, mapStyle, WEST_SOUTH_EAST_NORTH } from '../map/style';
import { strings } from '../strings';
import type { Palette } from '../theme/palette';
import type { AreaShown } from './answers';
import { areaShapes, boundsOf, drawingShapes } from './shapes';
import { added, between, LEAST_CORNERS, moved, type LonLat, type Shaping } from './shaping';

maplibregl.setWorkerUrl(workerUrl);

const AREA = 'warned';
const DRAWING = 'drawing';
const SOURCES = [AREA, DRAWING];
/** How far from a corner it is still pointed at, CSS pixels; a finger is wide. */
const REACH = { mouse: 10, touch: 22 };
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
  #shaping: Shaping | null = null;
  /** The corner that is being dragged. */
  #held: number | null = null;

  /** Throws where there is no WebGL. */
  constructor(
    container: HTMLElement,
    look: Look,
    private readonly on: {
      /** Somebody sets, chooses or moves a corner. */
      shape: (next: Shaping) => void;
      finish: () => void;
    },
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
      attributionControl: false,
      validateStyle: false,
    });
    this.map.addControl(new maplibregl.AttributionControl({ compact: false }), 'bottom-right');
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.on('click', (event) => this.#click(event));
    this.map.on('dblclick', (event) => {
      if (!this.#shaping) return;
      event.preventDefault();
      if (this.#shaping.adding) this.on.finish();
    });
    for (const name of ['mousedown', 'touchstart'] as const) {
      this.map.on(name, (event) => this.#grab(event));
    }
    for (const name of ['mousemove', 'touchmove'] as const) {
      this.map.on(name, (event) => this.#drag(event));
    }
    for (const name of ['mouseup', 'touchend', 'touchcancel'] as const) {
      this.map.on(name, () => (this.#held = null));
    }
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
    if (bounds && !this.#shaping) {
      this.map.fitBounds(bounds, { padding: 40, maxZoom: 12, duration: 0 });
    }
  }

  /** What is being drawn or changed; the map goes to a border that is taken up. */
  draw(shaping: Shaping | null): void {
    const begins = shaping?.part && shaping.part !== this.#shaping?.part;
    this.#shaping = shaping;
    if (!shaping) this.#held = null;
    this.map.getCanvas().style.cursor = shaping?.adding ? 'crosshair' : '';
    this.#put(DRAWING, drawingShapes(shaping));
    if (!shaping || shaping.adding) return;
    if (begins) this.#goTo(shaping.points);
    else this.#keepInSight(shaping);
  }

  /** Move the chosen corner by so many pixels of the screen. */
  nudge(right: number, down: number): void {
    const shaping = this.#shaping;
    const at = shaping?.chosen ?? null;
    const point = at === null ? undefined : shaping?.points[at];
    if (!shaping || at === null || !point) return;
    const { x, y } = this.map.project(point);
    this.on.shape(moved(shaping, at, this.#lonLat(this.map.unproject([x + right, y + down]))));
  }

  /** The middle of what is shown, degrees. */
  get middle(): [number, number] {
    const { lng, lat } = this.map.getCenter();
    return [lng, lat];
  }

  remove(): void {
    this.map.remove();
  }

  #click({ lngLat, point, originalEvent }: maplibregl.MapMouseEvent): void {
    const shaping = this.#shaping;
    // The second of a double click ends the border, and sets no corner.
    if (!shaping || originalEvent.detail > 1) return;
    const corner = this.#near(shaping.points, point, REACH.mouse);
    if (!shaping.adding) this.on.shape({ ...shaping, chosen: corner });
    else if (corner === null) {
      this.on.shape(added(shaping, shaping.points.length - 1, this.#lonLat(lngLat)));
    } else if (corner === 0 && !shaping.line && shaping.points.length >= LEAST_CORNERS) {
      this.on.finish();
    }
  }

  /** A corner is taken hold of; between two of a border that is there, a new one. */
  #grab(event: maplibregl.MapMouseEvent | maplibregl.MapTouchEvent): void {
    const shaping = this.#shaping;
    const touches = 'touches' in event.originalEvent;
    if (!shaping || ('points' in event && event.points.length > 1)) return;
    const reach = touches ? REACH.touch : REACH.mouse;
    const corner = this.#near(shaping.points, event.point, reach);
    const behind = corner === null ? this.#near(between(shaping), event.point, reach) : null;
    if (corner === null && behind === null) return;
    // The corner moves, and not the map.
    event.preventDefault();
    this.#held = corner ?? (behind ?? 0) + 1;
    this.on.shape(
      behind === null
        ? { ...shaping, chosen: corner }
        : added(shaping, behind, this.#lonLat(event.lngLat)),
    );
  }

  #drag({
    lngLat,
    point,
    originalEvent,
  }: maplibregl.MapMouseEvent | maplibregl.MapTouchEvent): void {
    const shaping = this.#shaping;
    if (!shaping) return;
    // It may have been let go outside the map.
    if (originalEvent instanceof MouseEvent && originalEvent.buttons === 0) this.#held = null;
    if (this.#held !== null) this.on.shape(moved(shaping, this.#held, this.#lonLat(lngLat)));
    else if (!shaping.adding) {
      const over = this.#near([...shaping.points, ...between(shaping)], point, REACH.mouse);
      this.map.getCanvas().style.cursor = over === null ? '' : 'move';
    }
  }

  /** The nearest of some points within so many pixels. */
  #near(points: readonly LonLat[], to: maplibregl.Point, reach: number): number | null {
    let found: number | null = null;
    let least = reach;
    points.forEach((one, at) => {
      const far = this.map.project(one).dist(to);
      if (far <= least) [found, least] = [at, far];
    });
    return found;
  }

  #lonLat({ lng, lat }: maplibregl.LngLat): LonLat {
    return [lng, lat];
  }

  #goTo(points: readonly LonLat[]): void {
    const bounds = new maplibregl.LngLatBounds();
    for (const point of points) bounds.extend(point);
    this.map.fitBounds(bounds, { padding: 60, maxZoom: 14, duration: 0 });
  }

  #keepInSight({ points, chosen }: Shaping): void {
    const point = chosen === null ? undefined : points[chosen];
    if (!point || this.#held !== null) return;
    const { x, y } = this.map.project(point);
    const { clientWidth: width, clientHeight: height } = this.map.getCanvas();
    const edge = 24;
    if (x < edge || y < edge || x > width - edge || y > height - edge) {
      this.map.jumpTo({ center: point });
    }
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
      id: 'drawing-between',
      type: 'circle',
      source: DRAWING,
      filter: ['==', ['get', 'kind'], 'between'],
      paint: {
        'circle-color': palette.halo,
        'circle-radius': 3.5,
        'circle-stroke-color': palette.trail,
        'circle-stroke-width': 1.5,
      },
    },
    {
      id: 'drawing-corner',
      type: 'circle',
      source: DRAWING,
      filter: ['in', ['get', 'kind'], ['literal', ['corner', 'chosen']]],
      paint: {
        'circle-color': ['match', ['get', 'kind'], 'chosen', palette.halo, palette.trail],
        'circle-radius': ['match', ['get', 'kind'], 'chosen', 7, 5],
        'circle-stroke-color': ['match', ['get', 'kind'], 'chosen', palette.trail, palette.halo],
        'circle-stroke-width': ['match', ['get', 'kind'], 'chosen', 3, 2],
      },
    },
  ];
}
