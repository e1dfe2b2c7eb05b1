// Measures what a message to a group of 1,024 costs in Node, and prints a table: node test/perf/group.mjs

import { fileURLToPath } from 'node:url'
import { createServer } from 'vite'

const vite = await createServer({ root: fileURLToPath(new URL('../..', import.meta.url)), configFile: false, logLevel: 'error', optimizeDeps: { noDiscovery: true }, server: { middlewareMode: true }, appType: 'custom' })
try {
  const cpu = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000 }
  const figures = await (await vite.ssrLoadModule('/test/perf/group-bench.ts')).measureGroup(cpu)
  console.log('| | processor time, size |\n|---|---|')
  for (const [name, value] of Object.entries(figures)) console.log(`| ${name} | ${value} |`)
} finally {
  await vite.close()
}
