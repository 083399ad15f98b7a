import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Plugin, Rolldown } from 'vite';

const PAGE = 'field.html';
const WORKER = 'field-worker.js';
/** In `public`: what the tablet's page asks for besides what was built. */
const BESIDE = ['icon.svg', 'icon-192.png', 'icon-512.png', 'field.webmanifest'];
const MAPS = 'geo';

/**
 * Puts into the tablet's service worker the list of the files that it keeps: whatever the page
 * `field.html` can come to need, and the map of the country; and a name that is another one
 * whenever a byte of them is.
 */
export function offline(): Plugin {
  return {
    name: 'psn-offline',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const beside = [...BESIDE, ...maps()];
        const built = reached(bundle);
        const hash = createHash('sha256');
        for (const name of [...built, ...beside]) hash.update(name);
        for (const name of beside) hash.update(readFileSync(join('public', name)));
        hash.update(textOf(bundle[PAGE]));
        const files = ['/field', ...built.map(at), ...beside.map(at)];
        const worker = bundle[WORKER];
        if (worker?.type !== 'chunk') throw new Error(`there is no ${WORKER}`);
        worker.code = worker.code
          .replaceAll('PSN_FIELD_FILES', JSON.stringify(files))
          .replaceAll('PSN_FIELD_BUILD', JSON.stringify(hash.digest('hex').slice(0, 16)));
      },
    },
  };
}

const at = (name: string): string => `/${name}`;

function maps(): string[] {
  return readdirSync(join('public', MAPS))
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${MAPS}/${name}`);
}

/**
 * What the tablet's page leads to: whatever it names, and what that names in turn. Names of built
 * files have a hash in them, so a name that stands in a text is meant.
 */
function reached(bundle: Rolldown.OutputBundle): string[] {
  const assets = Object.keys(bundle).filter((name) => name.startsWith('assets/'));
  const found = new Set<string>();
  const queue = [PAGE];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const text = textOf(bundle[name]);
    const named = assets.filter((each) => !found.has(each) && text.includes(basename(each)));
    for (const each of named) found.add(each);
    queue.push(...named);
  }
  if (found.size === 0) throw new Error(`${PAGE} leads to nothing`);
  return [...found].sort();
}

function textOf(one: Rolldown.OutputBundle[string] | undefined): string {
  if (!one) return '';
  if (one.type === 'chunk') return one.code;
  return /\.(css|js|mjs|html)$/.test(one.fileName) ? Buffer.from(one.source).toString() : '';
}
