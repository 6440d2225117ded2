import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

// Where `npm run dev` sends /api: BASE_URL of a running `tools/stack up`.
const backend = process.env['LOCKSTEP_URL'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [react()],
  build: {
    // One folder of hashed names, so that nginx can keep all of it for ever.
    assetsDir: 'lockstep/assets',
    // An inlined asset would need data: in the Content Security Policy.
    assetsInlineLimit: 0,
    target: 'es2022',
    modulePreload: { polyfill: false },
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
