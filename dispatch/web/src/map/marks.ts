import * as maplibregl from 'maplibre-gl';
import { work } from '../strings.work';

/** What stands at a place of the map besides units: an incident, or a unit's emergency. */
export interface Mark {
  kind: 'incident' | 'emergency';
  /** Of the incident, or of the unit. */
  id: number;
  /** Degrees. */
  lon: number;
  lat: number;
  /** 1 to 5; of an incident. */
  priority: number;
  /** Title, or callsign. */
  name: string;
  open: boolean;
}

interface Shown {
  marker: maplibregl.Marker;
  look: string;
}

/** Marks over the map, as elements of the page: there are a hundred of them, not thousands. */
export class Marks {
  #shown = new Map<string, Shown>();

  constructor(
    private readonly map: maplibregl.Map,
    private readonly onIncident: (id: number) => void,
    private readonly onUnit: (id: number) => void,
  ) {}

  /** These are there from now on, and no others. */
  show(marks: readonly Mark[]): void {
    const keys = new Set(marks.map(keyOf));
    for (const [key, { marker }] of this.#shown) {
      if (keys.has(key)) continue;
      marker.remove();
      this.#shown.delete(key);
    }
    for (const mark of marks) this.#put(mark);
  }

  #put(mark: Mark): void {
    const key = keyOf(mark);
    const look = `${mark.priority} ${mark.open} ${mark.name}`;
    let shown = this.#shown.get(key);
    if (shown?.look !== look) {
      shown?.marker.remove();
      const element = this.#draw(mark);
      const anchor = mark.kind === 'incident' ? 'bottom' : 'center';
      const marker = new maplibregl.Marker({ element, anchor }).setLngLat([mark.lon, mark.lat]);
      shown = { marker: marker.addTo(this.map), look };
      // The library makes every marker a stop of the Tab key; these are reached by the lists.
      element.tabIndex = -1;
      this.#shown.set(key, shown);
    }
    const { lng, lat } = shown.marker.getLngLat();
    if (lng !== mark.lon || lat !== mark.lat) shown.marker.setLngLat([mark.lon, mark.lat]);
  }

  #draw(mark: Mark): HTMLElement {
    const element = document.createElement('button');
    const incident = mark.kind === 'incident';
    element.className = incident ? `mark incident p${mark.priority}` : 'mark emergency';
    if (mark.open) element.classList.add('open');
    element.title = incident
      ? work.map.incident(mark.priority, mark.name)
      : work.map.emergency(mark.name);
    element.setAttribute('aria-label', element.title);
    if (incident) element.textContent = String(mark.priority);
    element.addEventListener('click', (event) => {
      event.stopPropagation();
      if (incident) this.onIncident(mark.id);
      else this.onUnit(mark.id);
    });
    return element;
  }
}

const keyOf = (mark: Mark): string => `${mark.kind}:${mark.id}`;
