import { defineConfig } from 'vite';

// `base: './'`: every address in the bundle is relative, so the page works under any path prefix.
export default defineConfig({
  base: './',
  build: {
    outDir: 'dist/bundle',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 9000,
    // Two pages that share next to nothing: each loads its own.
    rollupOptions: { input: { index: 'index.html', docs: 'docs.html' } },
  },
  esbuild: { jsx: 'automatic' },
  worker: { format: 'es' },
});
