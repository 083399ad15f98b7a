import { Marker, type Map as Ground } from 'maplibre-gl';

/** Where a caller says it is, on the map. */
export class Pin {
  #marker: Marker | null = null;

  constructor(private readonly map: Ground) {}

  /** It is there (degrees), and nowhere else; nothing when null. */
  put(place: { lon: number; lat: number; label: string } | null): void {
    this.#marker?.remove();
    this.#marker = null;
    if (!place) return;
    const element = document.createElement('div');
    element.className = 'call-pin';
    element.setAttribute('role', 'img');
    element.setAttribute('aria-label', place.label);
    this.#marker = new Marker({ element, anchor: 'center' })
      .setLngLat([place.lon, place.lat])
      .addTo(this.map);
  }
}
