// How the client is built: one entry, a chunk for each feature and language, names that carry the hash of their content. Two builds of the
// same sources give the same bytes.
import { defineConfig } from 'vite'
import { icons } from './tools/icon-plugin.mjs'
import { files } from './tools/files-plugin.mjs'
import { emoji } from './tools/emoji-plugin.mjs'

const wire = /\/src\/core\/(?:net\/(?:pulse|keeper)|xmpp\/(?:connection|sm|mam|pubsub|omemo|roster|profile|disco|requests|upload|push|blocking|presence|access|last|displayed|forward))\.ts$/

export default defineConfig({
  base: '/',
  plugins: [icons(), emoji(), files()],
  json: { namedExports: false, stringify: false },
  build: {
    target: 'es2022',
    cssTarget: ['chrome94', 'firefox93', 'safari16.4'],
    outDir: 'dist',
    emptyOutDir: true,
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    sourcemap: false,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    // What speaks with the server is a part of its own, loaded beside the engine that uses it.
    rolldownOptions: { output: { codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: 'wire', test: wire }] } } },
  },
  worker: { format: 'es' },
})
