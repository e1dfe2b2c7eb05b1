// Communities: groups that belong together, with one more for the announcements (docs/protocol/communities.md). Talking in them is as in any group; what is
// here asks the server, and is not kept for a start without network.
import type { JSX } from 'preact'
import { ready } from '../../app/session.ts'
import type { ViewProps } from '../../app/View.tsx'
import { AddGroup } from './AddGroup.tsx'
import { Community } from './Community.tsx'
import { Find } from './Find.tsx'
import { NewCommunity } from './NewCommunity.tsx'
import { NewInside } from './NewInside.tsx'
import '../../ui/css/pages.css'
import './communities.css'

/** Communities shows the page that the address names. */
export default function Communities({ params, path }: ViewProps): JSX.Element {
  if (!ready.value) return <div class="blank" />
  if (path === '/communities/new') return <NewCommunity />
  if (path === '/communities/find') return <Find />
  const { jid = '', page } = params
  if (page === 'new') return <NewInside key={jid} jid={jid} />
  if (page === 'add') return <AddGroup key={jid} jid={jid} />
  return <Community key={jid} jid={jid} />
}
