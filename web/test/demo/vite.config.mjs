// Builds the client with the engine of test/demo in the place of the real one, to look at screens without a server. Never shipped.
import { fileURLToPath } from 'node:url'
import { mergeConfig } from 'vite'
import base from '../../vite.config.mjs'

const demo = fileURLToPath(new URL('open.ts', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))

export default mergeConfig(base, {
  root,
  plugins: [{ name: 'demo', enforce: 'pre', resolveId: (id, from) => (from?.includes('/src/') && (id.endsWith('/app/open.ts') || (id === './open.ts' && from.includes('/src/app/'))) ? demo : undefined) }],
  build: { outDir: process.env.OUT ?? '/tmp/palabre-demo' },
})
