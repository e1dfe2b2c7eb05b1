// Asks for an amount, up to a most, in a dialog.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { fieldText, money, readAmount } from '../../i18n/money.ts'
import { t } from '../../i18n/t.ts'
import { Button, Field } from '../../ui/controls.tsx'
import { Dialog, over } from '../../ui/overlay.tsx'

interface Question { title: string; label: string; most: number; begin?: number; unit: string; exponent: number }

/** askAmount asks how much; undefined when somebody would rather not. */
export async function askAmount(question: Question): Promise<number | undefined> {
  let answer: number | undefined
  await over((done) => <Dialog title={question.title} close={done}><AskAmount {...question} done={(amount) => { answer = amount; done() }} /></Dialog>)
  return answer
}

function AskAmount({ label, most, begin, unit, exponent, done }: Question & { done: (amount?: number) => void }): JSX.Element {
  const [text, setText] = useState(begin === undefined ? '' : fieldText(begin, exponent))
  const amount = readAmount(text, exponent)
  const fits = amount !== undefined && amount <= most
  return (
    <form class="form" onSubmit={(e) => { e.preventDefault(); if (fits) done(amount) }}>
      <Field label={label} value={text} change={setText} limit={20} required focus ltr wrong={text && !fits ? t('pm.atMost', { amount: money(most, { unit, exponent }) }) : undefined} />
      <div class="do"><Button kind="t" act={() => done()}>{t('cancel')}</Button><Button kind="p" submit disabled={!fits}>{t('pm.next')}</Button></div>
    </form>
  )
}
