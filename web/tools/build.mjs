// Builds dist/: the client, and then the service worker, which is one file at a fixed address. `--watch` is left to vite itself.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)
await build({ configFile: `${root}/vite.config.mjs`, logLevel: 'warn' })

const worker = `${root}/src/sw/sw.ts`
if (existsSync(worker)) {
  await build({
    configFile: false, logLevel: 'warn', publicDir: false,
    build: {
      target: 'es2022', outDir: `${root}/dist`, emptyOutDir: false, sourcemap: false, reportCompressedSize: false, modulePreload: false,
      rolldownOptions: { input: worker, output: { entryFileNames: 'sw.js', format: 'iife', codeSplitting: false } },
    },
  })
}
