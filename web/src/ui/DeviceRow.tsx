import type { JSX } from 'preact'
import type { Device } from '../core/model.ts'
import { Pill } from './controls.tsx'
import { IconButton } from './controls.tsx'
import { Icon } from './Icon.tsx'
import './css/pages.css'

interface DeviceRowProps {
  device: Device
  name: string
  /** Facts in a line, such as when it was last used. */
  facts: string
  trust: string
  fingerprint: string
  unknownKey: string
  options?: { label: string; act: (event: MouseEvent) => void }
}

const kinds = { verified: 'ok', trusted: 'info', undecided: 'wait', distrusted: 'bad' } as const

/** inEights writes a fingerprint in groups of eight, as other apps do. */
export const inEights = (fingerprint: string): string => fingerprint.match(/.{1,8}/g)?.join(' ') ?? ''

/** DeviceRow shows a device that can read encrypted messages, its key and what was decided about it. */
export function DeviceRow({ device, name, facts, trust, fingerprint, unknownKey, options }: DeviceRowProps): JSX.Element {
  return (
    <li class="act un">
      <span class="tile"><Icon name={device.trust === 'distrusted' ? 'shieldAlert' : 'shield'} /></span>
      <div class="grow">
        <span class="device-name"><b dir="auto">{name}</b><Pill kind={kinds[device.trust]}>{trust}</Pill></span>
        {facts && <small>{facts}</small>}
        <span class="vh">{fingerprint}</span><div class="print">{device.fingerprint ? inEights(device.fingerprint) : unknownKey}</div>
      </div>
      {options && <IconButton icon="ellipsis" label={options.label} menu act={options.act} />}
    </li>
  )
}
