// The unit tests. Node 20 has its WebSocket behind a flag.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    execArgv: ['--experimental-websocket'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
