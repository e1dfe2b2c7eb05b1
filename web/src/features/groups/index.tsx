// Groups, as far as the server is needed for them: making one, coming into one, and what its administrators decide. None of it is kept for a start
// without network; talking in a group and reading who is in it are elsewhere, and are.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Group } from '../../core/groups.ts'
import type { Chat } from '../../core/model.ts'
import { chatOf, engine } from '../../app/session.ts'
import type { ViewProps } from '../../app/View.tsx'
import { t } from '../../i18n/t.ts'
import { Empty } from '../../ui/controls.tsx'
import { AddPeople } from './AddPeople.tsx'
import { Banned } from './Banned.tsx'
import { Come } from './Come.tsx'
import { Edit } from './Edit.tsx'
import { Find } from './Find.tsx'
import { Links } from './Links.tsx'
import { NewGroup } from './NewGroup.tsx'
import { NextOwner } from './NextOwner.tsx'
import { Requests } from './Requests.tsx'
import { Settings } from './Settings.tsx'
import '../../ui/css/pages.css'
import './groups.css'

/** What a page about one group is given. */
export interface PageProps { chat: Chat; group: Group }

const pages: Record<string, (props: PageProps) => JSX.Element> = { add: AddPeople, banned: Banned, edit: Edit, links: Links, owner: NextOwner, requests: Requests, settings: Settings }

/** GroupViews shows the page that the address names. */
export default function GroupViews({ params, path }: ViewProps): JSX.Element {
  if (path === '/g') return <Come key={location.hash} />
  if (path === '/groups/new') return <NewGroup />
  if (path === '/groups/find') return <Find />
  return <OfGroup key={path} jid={params['jid'] ?? ''} page={params['page'] ?? ''} />
}

function OfGroup({ jid, page }: { jid: string; page: string }): JSX.Element {
  const [chat, setChat] = useState<Chat | undefined>(chatOf(jid))
  useEffect(() => engine().watchChat(jid, setChat), [jid])
  const Page = pages[page]
  if (!Page || !chat?.group) return <div class="scroll"><Empty title={t('gr.noGroup')} /></div>
  return <Page chat={chat} group={chat.group} />
}
