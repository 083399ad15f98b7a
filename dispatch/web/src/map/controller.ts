import * as maplibregl from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import type { Unit, UnitBook } from '../state/units';
import { strings } from '../strings';
import { DAY, type Palette } from '../theme/palette';
import { Atlas, type AtlasAgency } from './atlas';
import { declutter, SELECTED, type Candidate } from './declutter';
import { familyOf } from './family';
import { LabelSheet } from './labelSheet';
import { relativeX, relativeY, worldSize, type View } from './mercator';
import { LOOK, Motion } from './motion';
import { ownMapStyle } from './ownMap';
import { BELIZE, mapStyle, WEST_SOUTH_EAST_NORTH } from './style';
import { UnitLayer } from './unitLayer';

maplibregl.setWorkerUrl(workerUrl);

export interface MapOptions {
  container: HTMLElement;
  book: UnitBook;
  palette: Palette;
  /** The server's time, milliseconds. */
  clock(): number;
  /** Whether a unit passes the filters of the list. */
  shows(unit: Unit): boolean;
  onSelect(id: number | null): void;
  /** The middle of the map is elsewhere now, degrees. */
  onMove(lon: number, lat: number): void;
  /** Several units lie where somebody clicked (CSS pixels of the map), the nearest first. */
  onStack(ids: readonly number[], x: number, y: number): void;
}

/** The details of a unit lie over the left of the map; what is centred stands beside them. */
const DETAILS_WIDTH = 324;
/** Sources that the console fills itself, whatever the ground. */
const OVERLAYS = ['fences', 'trail'];
const LABELS_FROM_ZOOM = 9.8;
const RELABEL_EVERY = 350;

/** The map: MapLibre for the ground, our own layer for the units, and the loop that redraws. */
export class MapController {
  readonly map: maplibregl.Map;
  readonly motion = new Motion();
  #options: MapOptions;
  #layer: UnitLayer;
  #atlas: Atlas | null = null;
  #agencies: readonly AtlasAgency[] = [];
  #palette: Palette;
  #sheet: LabelSheet;
  #selected: number | null = null;
  #hovered: number | null = null;
  #labelled = new Set<number>();
  #filled = new Map<string, GeoJSON.FeatureCollection>();
  #own: string | null = null;
  #lastLabels = 0;
  #timer = 0;
  #frame = 0;

  constructor(options: MapOptions) {
    this.#options = options;
    this.#palette = options.palette;
    this.#sheet = this.#newSheet();
    this.map = new maplibregl.Map({
      container: options.container,
      style: mapStyle(options.palette, strings.map.attribution),
      bounds: BELIZE,
      fitBoundsOptions: { padding: 24 },
      maxBounds: WEST_SOUTH_EAST_NORTH,
      maxZoom: 17,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      rollEnabled: false,
      attributionControl: false,
      fadeDuration: 120,
      validateStyle: false,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new maplibregl.AttributionControl({ compact: false }), 'bottom-right');
    this.map.addControl(
      new maplibregl.ScaleControl({ maxWidth: 110, unit: 'metric' }),
      'bottom-left',
    );
    this.map.addControl(
      new maplibregl.ScaleControl({ maxWidth: 110, unit: 'nautical' }),
      'bottom-left',
    );
    this.#layer = new UnitLayer({
      motion: this.motion,
      sheet: this.#sheet,
      atlas: null,
      view: () => this.view(),
      now,
      clock: () => this.#clock(),
      body: () => this.body(),
      top: () => this.#top(),
    });
    this.#installed();
    this.#listen();
    this.#loop();
  }

  #installed(): void {
    this.map.on('style.load', () => {
      if (!this.map.getLayer('units')) this.map.addLayer(this.#layer);
      for (const [source, data] of this.#filled) this.#fill(source, data);
    });
    this.map.on('error', ({ error }) => {
      // The operator's file is missing or broken: the built-in map is better than none.
      if (this.#own && String(error.message).includes(this.#own)) this.ownMap(null);
      else console.warn('map:', error.message);
    });
  }

  #listen(): void {
    const { onSelect, onStack } = this.#options;
    this.map.on('move', () => this.#request());
    this.map.on('moveend', () => {
      this.#relabel();
      const { lng, lat } = this.map.getCenter();
      this.#options.onMove(lng, lat);
    });
    this.map.on('click', ({ point: { x, y } }) => {
      const ids = this.pick(x, y);
      if (ids.length > 1) onStack(ids, x, y);
      else onSelect(ids[0] ?? null);
    });
    this.map.on('mousemove', (event) => {
      const id = this.pick(event.point.x, event.point.y)[0] ?? null;
      if (id !== this.#hovered) {
        this.#hovered = id;
        this.map.getCanvas().style.cursor = id === null ? '' : 'pointer';
        this.#relabel();
      }
    });
  }

  /** Take over what changed in the book since the last call; at most once a frame. */
  sync(): void {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#takeOver();
    });
  }

  #takeOver(): void {
    const { book } = this.#options;
    const time = now();
    for (const id of book.changed) {
      const unit = book.units.get(id);
      if (!unit?.place || !this.#atlas) {
        this.motion.remove(id);
        continue;
      }
      const { lon, lat, heading, speed, time: fix } = unit.place;
      const slot = this.motion.slot(id);
      const fixSeconds = fix / 1000 - EPOCH;
      if (slot === undefined || Math.abs(this.motion.get(slot, 'fix') - fixSeconds) > 0.01) {
        const pointed = speed !== null && speed < 0.3 ? null : heading;
        this.motion.move(id, relativeX(lon), relativeY(lat), pointed, fixSeconds, time);
      }
      this.#dress(unit);
    }
    if (this.#atlas) book.changed.clear();
    this.#layer.stale = true;
    this.#request();
    if (performance.now() - this.#lastLabels > RELABEL_EVERY) this.#relabel();
  }

  #dress(unit: Unit): void {
    const slot = this.motion.slot(unit.id);
    if (slot === undefined || !this.#atlas) return;
    const sprite = this.#atlas.sprite(unit.agency, familyOf(unit.kind), unit.online);
    this.motion.set(slot, 'sprite', sprite);
    const chosen = unit.id === this.#selected;
    const shown = chosen || this.#options.shows(unit);
    this.motion.set(slot, 'look', chosen ? LOOK.selected : shown ? LOOK.normal : LOOK.hidden);
  }

  /** Filters, selection or agencies changed: look at every unit again. */
  refresh(): void {
    for (const unit of this.#options.book.units.values()) this.#dress(unit);
    this.#layer.stale = true;
    this.#relabel();
    this.#request();
  }

  select(id: number | null): void {
    this.#selected = id;
    this.refresh();
  }

  agencies(agencies: readonly AtlasAgency[]): void {
    this.#agencies = agencies;
    this.#redrawSymbols();
    this.sync();
  }

  theme(palette: Palette): void {
    this.#palette = palette;
    this.#paint();
    this.#sheet = this.#newSheet();
    this.#labelled.clear();
    this.#redrawSymbols();
    this.refresh();
  }

  /** Draw the operator's own map below the units instead of the one that is built in. */
  ownMap(address: string | null): void {
    if (address === this.#own) return;
    this.#own = address;
    void this.#restyle();
  }

  #paint(): void {
    if (this.#own) {
      void this.#restyle();
      return;
    }
    for (const layer of mapStyle(this.#palette, strings.map.attribution).layers) {
      if (!this.map.getLayer(layer.id)) continue;
      for (const [name, value] of Object.entries(layer.paint ?? {})) {
        const property = name as 'line-color';
        this.map.setPaintProperty(layer.id, property, value as string, { validate: false });
      }
    }
  }

  async #restyle(): Promise<void> {
    const base = mapStyle(this.#palette, strings.map.attribution);
    const light = this.#palette === DAY;
    const style = this.#own ? await ownMapStyle(this.#own, light, base, OVERLAYS) : base;
    this.map.setStyle(style, { diff: false, validate: false });
  }

  #newSheet(): LabelSheet {
    const ratio = Math.min(2, Math.max(1, Math.ceil(devicePixelRatio)));
    return new LabelSheet(ratio, { text: this.#palette.town, halo: this.#palette.halo });
  }

  #redrawSymbols(): void {
    const { symbolEdge: edge, symbolTick: tick, symbolHollow: hollow } = this.#palette;
    this.#atlas = this.#agencies.length ? new Atlas(this.#agencies, { edge, tick, hollow }) : null;
    this.#layer.dress(this.#atlas, this.#sheet);
  }

  /** Centre on a unit, closer if the map shows a wide area. */
  centre(id: number): void {
    const place = this.#options.book.units.get(id)?.place;
    if (!place) return;
    this.map.easeTo({
      center: [place.lon, place.lat],
      zoom: Math.max(this.map.getZoom(), 12),
      offset: [DETAILS_WIDTH / 2, 0],
      duration: reducedMotion() ? 0 : 600,
    });
  }

  /** All of Belize. */
  home(): void {
    this.map.fitBounds(BELIZE, { padding: 24, duration: reducedMotion() ? 0 : 600 });
  }

  fences(collection: GeoJSON.FeatureCollection): void {
    this.#fill('fences', collection);
  }

  trail(points: readonly [lon: number, lat: number][]): void {
    const line: GeoJSON.Feature = {
      type: 'Feature',
      properties: {},
      geometry: { type: 'LineString', coordinates: points as [number, number][] },
    };
    this.#fill('trail', { type: 'FeatureCollection', features: points.length > 1 ? [line] : [] });
  }

  #fill(source: string, data: GeoJSON.FeatureCollection): void {
    this.#filled.set(source, data);
    const found = this.map.getSource(source) as maplibregl.GeoJSONSource | undefined;
    void found?.setData(data);
  }

  /** The units whose symbols are at a point of the map, in CSS pixels; the nearest first. */
  pick(x: number, y: number): number[] {
    const time = now();
    const view = this.view();
    const within = Math.max(10, this.body() / 2 + 5);
    const found: { id: number; distance: number }[] = [];
    for (let slot = 0; slot < this.motion.count; slot++) {
      if (this.motion.get(slot, 'look') === LOOK.hidden) continue;
      const [px, py] = this.#screen(slot, time, view);
      const distance = Math.hypot(px - x, py - y);
      if (distance < within) found.push({ id: this.motion.id(slot), distance });
    }
    return found.sort((a, b) => a.distance - b.distance).map(({ id }) => id);
  }

  /** The unit under the pointer and, above it, the one that is open. */
  #top(): number[] {
    return [this.#hovered, this.#selected]
      .map((id) => (id === null ? undefined : this.motion.slot(id)))
      .filter((slot) => slot !== undefined);
  }

  view(): View {
    const centre = this.map.getCenter();
    const { clientWidth: width, clientHeight: height } = this.map.getCanvas();
    return {
      x: relativeX(centre.lng),
      y: relativeY(centre.lat),
      world: worldSize(this.map.getZoom()),
      width,
      height,
    };
  }

  /** Size of a symbol: small over the whole country, comfortable in a town. */
  body(): number {
    const zoom = this.map.getZoom();
    return Math.min(26, Math.max(8, 9 + (zoom - 7.5) * 3.1));
  }

  #screen(slot: number, time: number, view = this.view()): [number, number] {
    const [x, y] = this.motion.position(slot, time);
    return [
      (x - view.x) * view.world + view.width / 2,
      (y - view.y) * view.world + view.height / 2,
    ];
  }

  #relabel(): void {
    this.#lastLabels = performance.now();
    const view = this.view();
    const time = now();
    const wide = this.map.getZoom() < LABELS_FROM_ZOOM;
    const candidates: Candidate[] = [];
    for (let slot = 0; slot < this.motion.count; slot++) {
      if (this.motion.get(slot, 'look') === LOOK.hidden) continue;
      const id = this.motion.id(slot);
      const special = id === this.#selected || id === this.#hovered;
      if (wide && !special) continue;
      const [x, y] = this.#screen(slot, time, view);
      if (x < -100 || y < -20 || x > view.width + 20 || y > view.height + 20) continue;
      const width = this.#sheet.width(this.#options.book.units.get(id)?.callsign ?? '');
      const weight = special ? SELECTED : this.#labelled.has(id) ? 2 : 1;
      candidates.push({ id, x, y, width, weight });
    }
    const chosen = declutter(candidates, view, this.body(), this.#sheet.capacity);
    this.#show(chosen);
  }

  #show(chosen: readonly number[]): void {
    const texts = chosen.map((id) => this.#options.book.units.get(id)?.callsign ?? '');
    const slots = this.#sheet.slots(texts);
    for (const id of this.#labelled) {
      const slot = this.motion.slot(id);
      if (slot !== undefined) this.motion.set(slot, 'label', -1);
    }
    this.#labelled = new Set(chosen);
    chosen.forEach((id, index) => {
      const slot = this.motion.slot(id);
      if (slot !== undefined) this.motion.set(slot, 'label', slots[index] ?? -1);
    });
    this.#layer.stale = true;
    this.#request();
  }

  #request(): void {
    this.map.triggerRepaint();
  }

  /** Redraw as often as the fastest unit needs: a quarter of a pixel a frame, at most 30 a second. */
  #loop(): void {
    const pixels = this.motion.fastest(now()) * worldSize(this.map.getZoom());
    const wait = pixels > 0 ? Math.min(1000, Math.max(33, 250 / pixels)) : 1000;
    this.#timer = setTimeout(() => {
      if (!document.hidden) this.#request();
      if (performance.now() - this.#lastLabels > RELABEL_EVERY * 3) this.#relabel();
      this.#loop();
    }, wait) as unknown as number;
  }

  #clock(): number {
    return this.#options.clock() / 1000 - EPOCH;
  }

  remove(): void {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.map.remove();
  }
}

/** Seconds are counted from here, so that 32-bit floats keep milliseconds over a long shift. */
const EPOCH = Math.floor(Date.now() / 1000);
const START = performance.now();

function now(): number {
  return (performance.now() - START) / 1000;
}

function reducedMotion(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
