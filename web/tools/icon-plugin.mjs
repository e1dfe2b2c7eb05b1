// Makes `import path from 'icon:search'` the outline of one lucide icon as a single SVG path, so that an icon costs its shape and no more:
// no sprite to ask for, no markup to parse. lucide-static is under the ISC licence.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const prefix = 'icon:'
const folder = join(dirname(createRequire(import.meta.url).resolve('lucide-static/package.json')), 'icons')

/** Reads an element's attributes as numbers and texts. */
const attributes = (tag) => Object.fromEntries([...tag.matchAll(/([a-z0-9]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))

/** The first move of a path is absolute wherever the path stands alone; joined to another it must say so. */
function absolute(d) {
  const match = /^m\s*(-?[\d.]+)[\s,]*(-?[\d.]+)\s*(.*)$/s.exec(d)
  if (!match) return d
  const [, x, y, rest] = match
  return `M${x} ${y}${/^[-\d.]/.test(rest) ? 'l' : ''}${rest}`
}

function circle({ cx, cy, r, rx = r, ry = r }) {
  return `M${cx - rx} ${cy}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0`
}

function rectangle({ x = 0, y = 0, width: w, height: h, rx = 0 }) {
  if (!Number(rx)) return `M${x} ${y}h${w}v${h}h${-w}z`
  const arc = (dx, dy) => `a${rx} ${rx} 0 0 1 ${dx} ${dy}`
  return `M${Number(x) + Number(rx)} ${y}h${w - 2 * rx}${arc(rx, rx)}v${h - 2 * rx}${arc(-rx, rx)}h${2 * rx - w}${arc(-rx, -rx)}v${2 * rx - h}${arc(rx, -rx)}z`
}

const shapes = {
  path: ({ d }) => absolute(d),
  circle,
  ellipse: circle,
  rect: rectangle,
  line: ({ x1, y1, x2, y2 }) => `M${x1} ${y1}L${x2} ${y2}`,
  polyline: ({ points }) => `M${points.trim()}`,
  polygon: ({ points }) => `M${points.trim()}z`,
}

/** The path of the icon with that name; throws for a name that lucide has not. */
export function iconPath(name) {
  const svg = readFileSync(join(folder, `${name}.svg`), 'utf8')
  const body = svg.slice(svg.indexOf('>', svg.indexOf('<svg')) + 1)
  return [...body.matchAll(/<(path|circle|ellipse|rect|line|polyline|polygon)\b([^>]*)>/g)]
    .map(([, tag, rest]) => shapes[tag](attributes(rest)))
    .join('')
}

export function icons() {
  return {
    name: 'icons',
    enforce: 'pre',
    resolveId: (id) => (id.startsWith(prefix) ? `\0${id}` : undefined),
    load: (id) => (id.startsWith(`\0${prefix}`) ? `export default ${JSON.stringify(iconPath(id.slice(prefix.length + 1)))}` : undefined),
  }
}
