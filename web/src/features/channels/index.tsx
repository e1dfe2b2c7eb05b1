// Channels: finding them, reading them, publishing in them (docs/protocol/channels.md). None of it is kept for a start without network; what was read is.
import type { JSX } from 'preact'
import type { ViewProps } from '../../app/View.tsx'
import { About } from './About.tsx'
import { Edit } from './Edit.tsx'
import { Find } from './Find.tsx'
import { NewChannel } from './NewChannel.tsx'
import { People } from './People.tsx'
import { Read } from './Read.tsx'
import { Scheduled } from './Scheduled.tsx'
import '../../ui/css/pages.css'
import './channels.css'

/** ChannelViews shows the page that the address names. */
export default function ChannelViews({ params, path }: ViewProps): JSX.Element {
  if (path === '/updates/channels') return <Find />
  if (path === '/updates/channels/new') return <NewChannel />
  const name = params['name'] ?? ''
  if (path.endsWith('/about')) return <About key={path} name={name} />
  if (params['page'] === 'edit') return <Edit key={path} name={name} />
  if (params['page'] === 'people') return <People key={path} name={name} />
  if (params['page'] === 'scheduled') return <Scheduled key={path} name={name} />
  return <Read key={path} name={name} />
}
