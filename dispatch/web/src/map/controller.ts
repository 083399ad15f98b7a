import * as maplibregl from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import { labelOf, type Place, type Unit, type UnitBook } from '../state/units';
import type { View as Looked } from '../state/layout';
import { strings } from '../strings';
import { DAY, type Palette } from '../theme/palette';
import { Atlas, type AtlasAgency } from './atlas';
import { declutter, SELECTED, type Candidate } from './declutter';
import { familyOf } from './family';
import { LabelSheet } from './labelSheet';
import { circle, relativeX, relativeY, worldSize, type View } from './mercator';
import { Marks, type Mark } from './marks';
import { LOOK, Motion, PER_RING, type Area } from './motion';
import { ownMapStyle } from './ownMap';
import { Painter } from './painter';
import { Pin } from './pin';
import { begun, BELIZE, mapStyle, WEST_SOUTH_EAST_NORTH } from './style';
import { UnitCanvas } from './unitCanvas';

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
  /** An incident's mark was clicked. */
  onIncident(id: number): void;
  /** What it shows from the start; all of Belize when null. */
  view: Looked | null;
  /** It shows something else now. */
  onMove(view: Looked): void;
  /** Somebody clicked at a place, degrees; true when it was meant for something else than units. */
  onPoint(lon: number, lat: number): boolean;
  /** Several units lie where somebody clicked (CSS pixels of the map), the nearest first. */
  onStack(ids: readonly number[], x: number, y: number): void;
}

/** The details of a unit lie over the left of the map; what is centred stands beside them. */
const DETAILS_WIDTH = 324;
/** Sources that the console fills itself, whatever the ground. */
const OVERLAYS = ['warned', 'fences', 'trail', 'reach'];
const LABELS_FROM_ZOOM = 9.8;
/** Smaller symbols (CSS pixels) have no ring. */
const RINGS_FROM = 12;
/** Milliseconds. */
const RELABEL_EVERY = 350;
const SYNC_EVERY = 50;
/** Pixels beyond the edge of the map from where a unit may come into sight. */
const BEYOND = 60;

/** The map: MapLibre for the ground, our own canvas over it for the units. */
export class MapController {
  readonly map: maplibregl.Map;
  readonly motion = new Motion();
  /** Where a caller says it is. */
  readonly pin: Pin;
  #options: MapOptions;
  #units: UnitCanvas;
  #painter: Painter;
  #marks: Marks;
  #rings: ReadonlyMap<number, number> = new Map();
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
  #syncing = 0;
  #relabelling = 0;

  constructor(options: MapOptions) {
    this.#options = options;
    this.#palette = options.palette;
    this.#sheet = this.#newSheet();
    this.map = new maplibregl.Map({
      container: options.container,
      style: mapStyle(options.palette, strings.map.attribution),
      ...begun(options.view),
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
    this.#units = new UnitCanvas({
      motion: this.motion,
      sheet: this.#sheet,
      atlas: null,
      view: () => this.view(),
      now,
      clock: () => this.#clock(),
      body: () => this.body(),
      labelled: () => this.#labelled.size > 0,
      ringed: () => this.#rings.size > 0 && this.body() >= RINGS_FROM,
      top: () => this.#top(),
    });
    this.#painter = new Painter(
      () => this.#units.draw(),
      () => this.motion.fastest(now(), this.#sight()) * worldSize(this.map.getZoom()),
    );
    this.map.getCanvasContainer().append(this.#units.canvas);
    this.#marks = new Marks(this.map, options.onIncident, options.onSelect);
    this.pin = new Pin(this.map);
    this.#resize();
    this.#installed();
    this.#listen();
    this.#painter.soon();
    this.#relabelling = setInterval(() => this.#relabel(), RELABEL_EVERY * 3) as unknown as number;
  }

  #installed(): void {
    this.map.on('style.load', () => {
      for (const [source, data] of this.#filled) this.#fill(source, data);
    });
    this.map.on('error', ({ error }) => {
      // The operator's file is missing or broken: the built-in map is better than none.
      if (this.#own && String(error.message).includes(this.#own)) this.ownMap(null);
      else console.warn('map:', error.message);
    });
  }

  #listen(): void {
    const { onPoint, onSelect, onStack } = this.#options;
    this.map.on('render', () => this.#painter.now());
    this.map.on('resize', () => this.#resize());
    this.map.on('moveend', () => {
      this.#relabel();
      this.#options.onMove(this.looked);
    });
    this.map.on('click', ({ point: { x, y }, lngLat }) => {
      if (onPoint(lngLat.lng, lngLat.lat)) return;
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

  /** Take over what changed in the book since the last call; not for every frame that comes. */
  sync(): void {
    this.#syncing ||= setTimeout(() => {
      this.#syncing = 0;
      this.#takeOver();
    }, SYNC_EVERY) as unknown as number;
  }

  #takeOver(): void {
    const { book } = this.#options;
    const time = now();
    let different = false;
    for (const id of book.changed) {
      const unit = book.units.get(id);
      if (!unit?.place || !this.#atlas) {
        this.motion.remove(id);
        different = true;
        continue;
      }
      const { lon, lat, heading, speed, time: fix } = unit.place;
      const slot = this.motion.slot(id);
      const fixSeconds = fix / 1000 - EPOCH;
      if (slot === undefined || Math.abs(this.motion.get(slot, 'fix') - fixSeconds) > 0.01) {
        const pointed = speed !== null && speed < 0.3 ? null : heading;
        const place = [relativeX(lon), relativeY(lat)] as const;
        different = this.motion.move(id, ...place, pointed, fixSeconds, time) || different;
      }
      different = this.#dress(unit) || different;
    }
    if (this.#atlas) book.changed.clear();
    this.#units.stale = true;
    if (different) this.#painter.soon();
    else this.#painter.pace();
    if (performance.now() - this.#lastLabels > RELABEL_EVERY) this.#relabel();
  }

  /** Give a unit its symbol; returns whether it looks different now. */
  #dress(unit: Unit): boolean {
    const slot = this.motion.slot(unit.id);
    if (slot === undefined || !this.#atlas) return false;
    const sprite = this.#atlas.sprite(unit.agency, familyOf(unit.kind), unit.online);
    const chosen = unit.id === this.#selected;
    const shown = chosen || this.#options.shows(unit);
    const ring = PER_RING * (this.#rings.get(unit.id) ?? 0);
    const look = !shown ? LOOK.hidden : ring + (chosen ? LOOK.selected : LOOK.normal);
    const same =
      this.motion.get(slot, 'sprite') === sprite && this.motion.get(slot, 'look') === look;
    this.motion.set(slot, 'sprite', sprite);
    this.motion.set(slot, 'look', look);
    return !same;
  }

  /** Filters, selection or agencies changed: look at every unit again. */
  refresh(): void {
    for (const unit of this.#options.book.units.values()) this.#dress(unit);
    this.#units.stale = true;
    this.#relabel();
    this.#painter.soon();
  }

  /** By unit, the number of the ring that tells what it is doing; units without one have none. */
  rings(rings: ReadonlyMap<number, number>): void {
    const before = this.#rings;
    this.#rings = rings;
    let different = false;
    for (const unit of this.#options.book.units.values()) {
      if (before.get(unit.id) !== rings.get(unit.id)) different = this.#dress(unit) || different;
    }
    if (!different) return;
    this.#units.stale = true;
    this.#painter.soon();
  }

  /** Incidents and emergencies at their places. */
  marks(marks: readonly Mark[]): void {
    this.#marks.show(marks);
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
    this.#units.dress(this.#atlas, this.#sheet);
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

  /** Look at a place (degrees), closer if the map shows a wide area. */
  look(place: { lon: number; lat: number }): void {
    this.map.easeTo({
      center: [place.lon, place.lat],
      zoom: Math.max(this.map.getZoom(), 12),
      duration: reducedMotion() ? 0 : 600,
    });
  }

  /** What it shows. */
  get looked(): Looked {
    const { lng, lat } = this.map.getCenter();
    return { lon: lng, lat, zoom: this.map.getZoom() };
  }

  /** As it was looked at before. */
  show({ lon, lat, zoom }: Looked): void {
    this.map.jumpTo({ center: [lon, lat], zoom });
  }

  /** All of Belize. */
  home(): void {
    this.map.fitBounds(BELIZE, { padding: 24, duration: reducedMotion() ? 0 : 600 });
  }

  /** Where people are warned now. */
  warned(collection: GeoJSON.FeatureCollection): void {
    this.#fill('warned', collection);
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

  /** How far a unit may be from where it is drawn; nothing to draw when null. */
  reach(place: Place | null): void {
    const ring = place?.accuracy ? circle(place.lon, place.lat, place.accuracy) : null;
    const area: GeoJSON.Feature | null = ring && {
      type: 'Feature',
      properties: {},
      geometry: { type: 'Polygon', coordinates: [ring] },
    };
    this.#fill('reach', { type: 'FeatureCollection', features: area ? [area] : [] });
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
      const width = this.#sheet.width(labelOf(this.#options.book.units.get(id)));
      const weight = special ? SELECTED : this.#labelled.has(id) ? 2 : 1;
      candidates.push({ id, x, y, width, weight });
    }
    const chosen = declutter(candidates, view, this.body(), this.#sheet.capacity);
    this.#show(chosen);
  }

  #show(chosen: readonly number[]): void {
    const texts = chosen.map((id) => labelOf(this.#options.book.units.get(id)));
    const slots = this.#sheet.slots(texts);
    const labels = new Map(chosen.map((id, index) => [id, slots[index] ?? -1]));
    for (const id of this.#labelled) if (!labels.has(id)) labels.set(id, -1);
    this.#labelled = new Set(chosen);
    for (const [id, label] of labels) {
      const slot = this.motion.slot(id);
      if (slot === undefined || this.motion.get(slot, 'label') === label) continue;
      this.motion.set(slot, 'label', label);
      this.#units.stale = true;
    }
    if (this.#units.stale || this.#sheet.dirty) this.#painter.soon();
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.map.getCanvas();
    this.#units.resize(clientWidth, clientHeight);
    this.#painter.soon();
  }

  /** What can be seen of the map, and a little around it. */
  #sight(): Area {
    const { x, y, world, width, height } = this.view();
    const across = (width / 2 + BEYOND) / world;
    const down = (height / 2 + BEYOND) / world;
    return { left: x - across, right: x + across, top: y - down, bottom: y + down };
  }

  #clock(): number {
    return this.#options.clock() / 1000 - EPOCH;
  }

  remove(): void {
    clearTimeout(this.#syncing);
    clearInterval(this.#relabelling);
    this.#painter.stop();
    this.#marks.show([]);
    this.#units.remove();
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
