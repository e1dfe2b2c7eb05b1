// Above the field: the question whether to show a card for a link, and the card that goes with the message.
import type { JSX } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import linkPath from 'icon:link'
import type { Message } from '../../core/model.ts'
import { engine } from '../../app/session.ts'
import { t } from '../../i18n/t.ts'
import { Button, IconButton } from '../../ui/controls.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { say, toast } from '../../ui/toast.tsx'
import { CardMaker, type Card } from './cardmaker.ts'

/** useCard gives the maker of the card for what stands in the field; a message that is being corrected brings its own. */
export function useCard(text: string, edited: Message | undefined): CardMaker {
  const kept = useRef<CardMaker | undefined>(undefined)
  const maker = kept.current ??= new CardMaker(engine())
  useEffect(() => {
    const stop = engine().watchChoices((choices) => maker.chosen(choices.linkCards))
    return () => { stop(); maker.close() }
  }, [])
  useEffect(() => { if (edited?.content.type === 'text' && edited.content.preview) maker.given(edited.content.preview) }, [edited])
  useEffect(() => maker.write(text), [text])
  return maker
}

/** LinkCard is what is to be said about the card of a link, if anything. */
export function LinkCard({ maker, done }: { maker: CardMaker; done: () => void }): JSX.Element | null {
  const card = maker.shown.value
  const told = toldOf(card)
  useEffect(() => { if (told) say(told) }, [told])
  if (!card) return null
  if (card.state === 'offer' && card.first) return <Question maker={maker} done={done} />
  return (
    <div class="above card-of" role="group" aria-label={t('card.title')}>
      {card.state === 'ready' && card.preview.image ? <img src={card.preview.image} alt="" /> : <Icon path={linkPath} />}
      <span class="grow">
        {card.state === 'ready' && <b class="cut" dir="auto">{card.preview.title}</b>}
        <span class="cut block" dir={card.state === 'none' ? undefined : 'ltr'}>{card.state === 'none' ? t('card.none') : hostOf(card)}</span>
        {card.state === 'making' && <span class="cut block">{t('card.making')}</span>}
      </span>
      {card.state === 'offer' && <Button kind="t" act={() => { void maker.make(card.url, true); done() }}>{t('card.show')}</Button>}
      <IconButton icon="x" label={t(card.state === 'none' ? 'close' : 'card.leave')} act={() => { maker.leaveOff(); done() }} />
    </div>
  )
}

/** Asked once in the life of an account on a device; what is answered can be changed in the settings. */
function Question({ maker, done }: { maker: CardMaker; done: () => void }): JSX.Element {
  const title = useId(), why = useId()
  const decide = (choice: 'always' | 'each' | 'never') => (): void => {
    maker.decide(choice).catch((error: unknown) => { console.error('card', error); toast(t('card.notKept')) })
    done()
  }
  return (
    <div class="above card-ask" role="group" aria-labelledby={title} aria-describedby={why}>
      <b id={title}>{t('card.ask')}</b>
      <span id={why}>{t('card.why')}</span>
      <span class="do"><Button act={decide('always')}>{t('card.always')}</Button><Button kind="g" act={decide('each')}>{t('card.once')}</Button><Button kind="t" act={decide('never')}>{t('card.never')}</Button></span>
    </div>
  )
}

/** What is said aloud of it: it comes while somebody writes. */
function toldOf(card: Card | undefined): string | undefined {
  if (card?.state === 'ready') return `${t('card.title')}: ${card.preview.title}`
  if (card?.state === 'none') return t('card.none')
  return card?.state === 'offer' && card.first ? t('card.ask') : undefined
}

function hostOf(card: Card): string {
  try { return new URL(card.url).host } catch { return card.url }
}
