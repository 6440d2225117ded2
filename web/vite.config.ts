import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

import { notices } from './tools/notices'
import { packed } from './tools/packed'

// Where `npm run dev` sends /api: BASE_URL of a running `tools/stack up`.
const backend = process.env['LOCKSTEP_URL'] ?? 'http://127.0.0.1:8080'

// What a browser loads before it can show the table stays under 250 kB packed.
const firstNeeded = [
  'src/programs/ProgramsPage.tsx',
  'src/programs/Overview.tsx',
  'src/i18n/uk.json',
]

export default defineConfig({
  plugins: [react(), notices('lockstep/third-party.txt'), packed(250_000, firstNeeded)],
  build: {
    // One folder of hashed names, so that nginx can keep all of it for ever.
    assetsDir: 'lockstep/assets',
    // An inlined asset would need data: in the Content Security Policy.
    assetsInlineLimit: 0,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // What counts is the sum, packed: see packed().
    chunkSizeWarningLimit: 1000,
  },
  server: {
    proxy: { '/api': { target: backend, changeOrigin: true } },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/test/setup.ts'],
    restoreMocks: true,
    testTimeout: 20000,
  },
})
