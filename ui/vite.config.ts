import { defineConfig } from 'vitest/config';

// The page runs under a content policy without inline scripts, styles or data:
// addresses, so nothing may be inlined. Everything gets the hash of its content
// in its name, which the server marks as immutable.
export default defineConfig({
  base: '/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    sourcemap: false,
  },
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
});
