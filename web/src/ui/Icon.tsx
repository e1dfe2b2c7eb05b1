import { icons } from './icons.ts'
import type { JSX } from 'preact'

/** The name of an icon that is always there. */
export type IconName = keyof typeof icons

/** Icon draws an icon by its name, or by the path that `import x from 'icon:…'` gives. It is decoration: what it means is said in words. */
export function Icon({ name, path, flip, full, kind }: { name?: IconName; path?: string; flip?: boolean; full?: boolean; kind?: string }): JSX.Element {
  const classes = `i${flip ? ' flip' : ''}${full ? ' full' : ''}${kind ? ` ${kind}` : ''}`
  return <svg class={classes} viewBox="0 0 24 24" aria-hidden="true"><path d={path ?? (name && icons[name])} /></svg>
}
