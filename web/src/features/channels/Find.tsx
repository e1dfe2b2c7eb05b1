import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Found } from '../../core/channels.ts'
import { Waiting } from '../../app/asked.tsx'
import { PageHead } from '../../app/PageHead.tsx'
import { ready } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Empty } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ask, nameIn, pathOf, useAsked } from './desk.tsx'
import { Picture } from './Face.tsx'

/** Pages of 100 that are looked through. */
const mostPages = 20

async function all(): Promise<Found[]> {
  const found: Found[] = []
  let after: string | undefined
  for (let pages = 0; pages < mostPages; pages++) {
    const page = await ask('find', after)
    found.push(...page.channels)
    if (!page.next) break
    after = page.next
  }
  return found
}

/** Find lists the channels that can be found, and leads to any by its name or link. */
export function Find(): JSX.Element {
  if (!ready.value) return <div class="blank" />
  return <List />
}

function List(): JSX.Element {
  const asked = useAsked(all, [])
  const [words, setWords] = useState('')
  useEffect(() => { void ask('begin').catch(() => undefined) }, [])
  const typed = words.trim().toLocaleLowerCase()
  const found = asked.value?.filter((c) => !typed || c.title.toLocaleLowerCase().includes(typed) || c.name.includes(typed))
  const named = typed ? nameIn(words) : undefined
  return (
    <>
      <PageHead title={t('ch.find')} always up="/updates" />
      <div class="find"><label class="search"><Icon name="search" /><span class="vh">{t('ch.findHint')}</span><input type="search" placeholder={t('ch.findHint')} value={words} dir="auto" autocomplete="off" onInput={(e) => setWords(e.currentTarget.value)} /></label></div>
      <div class="sheet-top"><div class="scroll list-in">
        {!found ? <Waiting asked={asked} /> : !found.length && !named && <Empty title={t('ch.findNone')} text={t('ch.findNoneText')} />}
        <ul>{found?.slice(0, 200).map((c) => (
          <li key={c.name}><a class="act peer" href={pathOf(c.name)}><Picture name={c.name} title={c.title} size="s" /><span class="grow"><b class="cut one" dir="auto">{c.title}</b><small class="cut one" dir="ltr">{c.name}</small></span><Icon name="chevronRight" flip kind="go" /></a></li>
        ))}</ul>
        {named && found && !found.some((c) => c.name === named) && (
          <a class="act" href={pathOf(named)}><span class="tile"><Icon name="radio" /></span><span class="grow">{t('ch.openName', { name: named })}</span><Icon name="chevronRight" flip kind="go" /></a>
        )}
      </div></div>
    </>
  )
}
