// Loads a feature when it is first looked at, and shows it. A part that cannot be loaded (no network, an older version gone) says so and can
// be asked for again; the rest of the client goes on.
import type { FunctionComponent, JSX } from 'preact'
import { Component } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { loadPart, t } from '../i18n/t.ts'
import { Busy, Button, Empty } from '../ui/controls.tsx'
import Chats from '../features/chats/index.tsx'
import { match, type Params } from './routes.ts'
import { ready } from './session.ts'

/** What a feature's view is given. */
export interface ViewProps { params: Params; path: string }
type View = FunctionComponent<ViewProps>

const lazy = import.meta.glob<{ default: View }>(['../features/*/index.tsx', '!../features/chats/index.tsx'])
const here = new Map<string, View>([['chats', Chats]])
const fileOf = (feature: string): string => `../features/${feature}/index.tsx`

/** exists tells whether a feature is part of this build. */
export const exists = (feature: string): boolean => here.has(feature) || fileOf(feature) in lazy

/** load fetches a feature and its texts, once. It rejects when they cannot be had. */
export async function load(feature: string): Promise<void> {
  if (here.has(feature)) return
  const [module] = await Promise.all([lazy[fileOf(feature)]?.(), loadPart(feature)])
  if (module) here.set(feature, module.default)
}

const patience = 150

/** Whether a view can be looked at before the engine runs: the list of last time, and what is for people who are not signed in. */
const drawnEarly = (feature: string, path: string): boolean => feature === 'chats' || match(path)?.route.open === true

/** Feature shows the view of a feature, loading it first. */
export function Feature({ feature, params, path }: ViewProps & { feature: string }): JSX.Element {
  const [state, setState] = useState<'quiet' | 'busy' | 'failed' | 'here'>(here.has(feature) ? 'here' : 'quiet')
  const fetch = (): void => {
    setState('quiet')
    const timer = setTimeout(() => setState('busy'), patience)
    load(feature).then(() => setState('here'), () => setState('failed')).finally(() => clearTimeout(timer))
  }
  useEffect(() => { if (!here.has(feature)) fetch(); else setState('here') }, [feature])
  const View = here.get(feature)
  if (View && !ready.value && !drawnEarly(feature, path)) return <div class="blank" />
  if (View) return <Guard key={feature}><View params={params} path={path} /></Guard>
  if (state === 'failed') return <Empty title={t('part.failed')} text={t('part.failedWhy')}><Button kind="p" icon="refresh" act={fetch}>{t('again')}</Button></Empty>
  return state === 'busy' ? <Busy /> : <div class="blank" />
}

/** A view that breaks is replaced by a sentence; the others stay. */
class Guard extends Component<{ children: JSX.Element }, { broken: boolean }> {
  override state = { broken: false }
  override componentDidCatch(error: unknown): void {
    console.error('view', error)
    this.setState({ broken: true })
  }
  override render(): JSX.Element {
    if (!this.state.broken) return this.props.children
    return <Empty title={t('broken')} text={t('brokenWhy')}><Button kind="p" icon="refresh" act={() => this.setState({ broken: false })}>{t('again')}</Button></Empty>
  }
}
