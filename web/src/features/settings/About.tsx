import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { update, updateWaits } from '../../app/update.ts'
import { t } from '../../i18n/t.ts'
import { Banner, Busy, Button } from '../../ui/controls.tsx'
import { Logo } from '../../ui/Logo.tsx'
import { compareFiles, type Compared } from './integrity.ts'

/** About is which version this is, and whether it is what the server says. */
export function About(): JSX.Element {
  const [found, setFound] = useState<Compared | 'none'>()
  const compare = (): void => { setFound(undefined); compareFiles().then((c) => setFound(c ?? 'none'), () => setFound('none')) }
  useEffect(compare, [])
  return (
    <>
      <section class="card face">
        <Logo />
        <h2>Palabre</h2>
        {found && found !== 'none' && <p class="num">{t('set.version')} <bdi dir="ltr">{found.sum.slice(0, 12)}</bdi></p>}
        <p class="small">{t('set.licence')}</p>
      </section>
      <section class="card">
        <h2>{t('set.integrity')}</h2>
        <p class="small">{t('set.integrityText')}</p>
        <div role="status" class="stack">
          {!found && <><Busy /><p class="small">{t('set.integrityBusy')}</p></>}
          {found === 'none' && <Banner icon="circleAlert" title={t('set.integrityNone')} />}
          {found && found !== 'none' && <Result found={found} />}
        </div>
        <div class="dos"><Button kind="s" icon="refresh" act={compare}>{t('set.compareAgain')}</Button>{updateWaits.value && <Button kind="p" act={update}>{t('update.now')}</Button>}</div>
      </section>
    </>
  )
}

function Result({ found }: { found: Compared }): JSX.Element {
  const good = found.differing.length === 0
  return (
    <>
      {good ? <Banner kind="ok" icon="shield" title={t('set.integrityGood')} text={t('set.integrityFiles', { n: found.compared })} />
        : <Banner kind="bad" icon="shieldAlert" title={t('set.integrityBad', { n: found.differing.length })} text={t('set.integrityBadText')} />}
      {!good && <ul class="print">{found.differing.slice(0, 20).map((path) => <li key={path}>{path}</li>)}</ul>}
      <div><b>{t('set.sum')}</b><p class="print">{found.sum.match(/.{1,8}/g)?.join(' ')}</p><p class="small">{t('set.sumHint')}</p></div>
    </>
  )
}
