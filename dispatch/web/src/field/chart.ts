import * as maplibregl from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import 'maplibre-gl/dist/maplibre-gl.css';
import { BELIZE, mapStyle, WEST_SOUTH_EAST_NORTH } from '../map/style';
import { labelOf, type Unit } from '../state/units';
import type { Palette } from '../theme/palette';
import type { Point } from './geodesic';

maplibregl.setWorkerUrl(workerUrl);

const CLOSE = 13;
const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };
const SOURCES = ['colleagues', 'there', 'here'] as const;
type Source = (typeof SOURCES)[number];

/** The country, kept on the tablet, with what a crew needs on it: itself, its order, colleagues. */
export class FieldChart {
  readonly map: maplibregl.Map;
  #filled = new Map<Source, GeoJSON.FeatureCollection>();

  constructor(container: HTMLElement, palette: Palette, attribution: string) {
    this.map = new maplibregl.Map({
      container,
      style: mapStyle(palette, attribution),
      bounds: BELIZE,
      maxBounds: WEST_SOUTH_EAST_NORTH,
      maxZoom: 17,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      attributionControl: false,
      validateStyle: false,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new maplibregl.AttributionControl({ compact: true }), 'bottom-left');
    this.map.addControl(new maplibregl.ScaleControl({ unit: 'metric' }), 'bottom-left');
    this.map.on('error', ({ error }) => console.warn('map:', error.message));
    this.map.on('style.load', () => this.#dress(palette));
    // For whoever has to wait until there is something to see.
    this.map.once('idle', () => (container.dataset['drawn'] = 'yes'));
  }

  #dress(palette: Palette): void {
    for (const source of SOURCES) {
      this.map.addSource(source, { type: 'geojson', data: this.#filled.get(source) ?? EMPTY });
    }
    const dot = (id: Source, colour: string | string[], radius: number): void => {
      this.map.addLayer({
        id,
        type: 'circle',
        source: id,
        paint: {
          'circle-radius': radius,
          'circle-color': colour as string,
          'circle-stroke-color': palette.halo,
          'circle-stroke-width': 3,
        },
      });
      this.map.addLayer({
        id: `${id}-name`,
        type: 'symbol',
        source: id,
        layout: {
          'text-field': ['get', 'name'],
          'text-font': ['Noto Sans Medium'],
          'text-size': 16,
          'text-anchor': 'left',
          'text-offset': [1, 0],
          'text-optional': true,
        },
        paint: {
          'text-color': palette.town,
          'text-halo-color': palette.halo,
          'text-halo-width': 2,
        },
      });
    };
    dot('colleagues', ['get', 'colour'], 8);
    dot('there', '#b3150f', 12);
    dot('here', '#0a3fd6', 12);
  }

  here(place: Point | null): void {
    this.#fill('here', place ? [feature(place, { name: '' })] : []);
  }

  there(place: Point | null, name: string): void {
    this.#fill('there', place ? [feature(place, { name })] : []);
  }

  colleagues(units: readonly Unit[], colours: ReadonlyMap<number, string>): void {
    const features = units.flatMap((unit) =>
      unit.place
        ? [
            feature(unit.place, {
              name: labelOf(unit),
              colour: colours.get(unit.agency) ?? '#444444',
            }),
          ]
        : [],
    );
    this.#fill('colleagues', features);
  }

  /** Both oneself and where one is sent. */
  span(one: Point, other: Point): void {
    const bounds = new maplibregl.LngLatBounds();
    for (const { lon, lat } of [one, other]) bounds.extend([lon, lat]);
    this.map.fitBounds(bounds, { padding: 120, maxZoom: CLOSE + 2, duration: 0 });
  }

  go({ lon, lat }: Point): void {
    this.map.jumpTo({ center: [lon, lat], zoom: Math.max(CLOSE, this.map.getZoom()) });
  }

  remove(): void {
    this.map.remove();
  }

  #fill(source: Source, features: GeoJSON.Feature[]): void {
    const data = { type: 'FeatureCollection' as const, features };
    this.#filled.set(source, data);
    const found = this.map.getSource(source) as maplibregl.GeoJSONSource | undefined;
    void found?.setData(data);
  }
}

function feature({ lon, lat }: Point, properties: Record<string, string>): GeoJSON.Feature {
  return { type: 'Feature', properties, geometry: { type: 'Point', coordinates: [lon, lat] } };
}
