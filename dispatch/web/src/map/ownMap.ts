import { addProtocol, type LayerSpecification, type StyleSpecification } from 'maplibre-gl';

let registered = false;

/**
 * A style of the operator's own PMTiles file in the Protomaps schema, with the console's sources
 * and layers above it. The code for it is loaded only where such a file is configured.
 */
export async function ownMapStyle(
  address: string,
  light: boolean,
  base: StyleSpecification,
  overlays: readonly string[],
): Promise<StyleSpecification> {
  const [{ Protocol }, { layers, namedFlavor }] = await Promise.all([
    import('pmtiles'),
    import('@protomaps/basemaps'),
  ]);
  if (!registered) {
    const protocol = new Protocol();
    addProtocol('pmtiles', protocol.tile);
    registered = true;
  }
  const ground = layers('own', namedFlavor(light ? 'light' : 'dark'), { lang: 'en' }).map(plain);
  return {
    ...base,
    sources: {
      ...Object.fromEntries(overlays.map((name) => [name, base.sources[name]])),
      own: {
        type: 'vector',
        url: `pmtiles://${new URL(address, location.href).href}`,
        attribution: '© OpenStreetMap contributors · Protomaps',
      },
    } as StyleSpecification['sources'],
    layers: [
      ...ground,
      ...base.layers.filter((layer) => 'source' in layer && overlays.includes(layer.source)),
    ],
  };
}

/** Without its icons: they would need a sprite sheet that the console does not carry. */
function plain(layer: LayerSpecification): LayerSpecification {
  if (layer.type !== 'symbol' || !layer.layout) return layer;
  const layout = Object.fromEntries(
    Object.entries(layer.layout).filter(([name]) => !name.startsWith('icon-')),
  );
  return { ...layer, layout } as LayerSpecification;
}
