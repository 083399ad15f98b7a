import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { offline } from './offline.ts';

// During development `npm run dev` passes the wire and the interface on to a running server.
const server = process.env.PSN_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte(), offline()],
  build: {
    target: 'es2023',
    assetsInlineLimit: 0, // a data: address would need a looser content security policy
    chunkSizeWarningLimit: 1500,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: [
        'index.html',
        'admin.html',
        'call.html',
        'field.html',
        'sign-in.html',
        'numbers.html',
        'warnings.html',
        'src/field/worker.ts', // the tablet's service worker: it must stand at the top
        'src/push/worker.ts', // and that which shows what is pushed
      ],
      output: {
        entryFileNames: ({ facadeModuleId }) => {
          const worker = /\/(field|push)\/worker\.ts$/.exec(facadeModuleId ?? '');
          return worker ? `${worker[1]}-worker.js` : 'assets/[name]-[hash].js';
        },
      },
    },
  },
  server: {
    proxy: {
      '/api': server,
      '/ws': { target: server, ws: true },
    },
  },
  // A busy machine takes its time; what hangs is still found.
  test: { include: ['src/**/*.test.ts'], environment: 'node', testTimeout: 60_000 },
});
