// Linking a device: the new one at /link, before or after it is signed in, and the one that is signed in at /devices/link.
import type { JSX } from 'preact'
import type { ViewProps } from '../../app/View.tsx'
import { Give } from './Give.tsx'
import { Take } from './Take.tsx'
import '../../ui/css/pages.css'
import './link.css'

/** Link shows the side that the address names. */
export default function Link({ path }: ViewProps): JSX.Element {
  return path === '/link' ? <Take /> : <Give />
}
