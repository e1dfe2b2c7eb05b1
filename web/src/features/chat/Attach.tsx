// What can be sent besides words: pictures, files, people, places, questions.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import walletPath from 'icon:wallet'
import { isBroadcast, type Chat, type Content, type JID, type Place } from '../../core/model.ts'
import { share, where } from '../../app/live.ts'
import { takePhoto } from '../../app/media.ts'
import { go } from '../../app/router.ts'
import { contacts, engine } from '../../app/session.ts'
import { exists } from '../../app/View.tsx'
import { language, t } from '../../i18n/t.ts'
import { Avatar } from '../../ui/Avatar.tsx'
import { Button, Field, Switch } from '../../ui/controls.tsx'
import { Icon, type IconName } from '../../ui/Icon.tsx'
import { choose, over, Sheet } from '../../ui/overlay.tsx'
import { toast } from '../../ui/toast.tsx'
import { withEvents } from './later.tsx'
import { offerFiles } from './Prepare.tsx'

const maxOptions = 20

type Tile = [IconName | 'pay', string, number, () => void]

/** openAttach shows what can be sent. */
export async function openAttach(chat: Chat): Promise<void> {
  const pays = exists('pay') && (chat.kind === 'person' || chat.kind === 'group' || chat.kind === 'business') && await engine().pays().catch(() => false)
  // What is answered or followed is for one chat: to a list go the first four.
  const tiles: Tile[] = [
    ['image', t('attach.photo'), 3, () => pickFiles(chat.jid, 'image/*,video/*')],
    ['camera', t('attach.camera'), 5, () => takePicture(chat.jid)],
    ['fileText', t('attach.file'), 1, () => pickFiles(chat.jid, '')],
    ...(pays ? [['pay', t(chat.kind === 'group' ? 'attach.split' : 'attach.pay'), 3, () => go(`/pay/${chat.kind === 'group' ? 'split' : 'to'}/${encodeURIComponent(chat.jid)}`)] satisfies Tile] : []),
    ['contact', t('attach.contact'), 4, () => void over((close) => <PickContact jid={chat.jid} close={close} />)],
    ['mapPin', t('attach.place'), 2, () => void sendPlace(chat.jid)],
    ['chartBar', t('attach.poll'), 7, () => void over((close) => <MakePoll jid={chat.jid} close={close} />)],
    ['calendar', t('attach.event'), 6, () => withEvents((e) => void e.makeEvent(chat.jid))],
  ]
  return over((close) => (
    <Sheet title={t('attach')} close={close}>
      <div class="attach">
        {(isBroadcast(chat.jid) ? tiles.slice(0, 4) : tiles).map(([icon, name, colour, act]) => <button type="button" key={icon} onClick={() => { close(); act() }}><span class={`tile c${colour}`}>{icon === 'pay' ? <Icon path={walletPath} /> : <Icon name={icon} />}</span>{name}</button>)}
      </div>
    </Sheet>
  ))
}

function pickFiles(jid: JID, accept: string, capture = false): void {
  const input = document.createElement('input')
  input.type = 'file'
  input.accept = accept
  if (capture) input.setAttribute('capture', 'environment')
  else input.multiple = true
  input.addEventListener('change', () => offerFiles(jid, [...(input.files ?? [])]))
  input.click()
}

/** takePicture opens the camera: on a phone its own app, elsewhere ours; without one, the pictures. */
export function takePicture(jid: JID): void {
  if (matchMedia('(pointer: coarse)').matches || !navigator.mediaDevices) { pickFiles(jid, 'image/*', true); return }
  takePhoto().then((photo) => { if (photo) offerFiles(jid, [new File([photo], 'photo.jpg', { type: photo.type })]) }, () => pickFiles(jid, 'image/*', true))
}

async function sendContent(jid: JID, content: Content): Promise<void> {
  try { await engine().send(jid, { content }) } catch (error) { console.error('send', error); toast(t('notKept')) }
}

/** For how long a place can be followed, in minutes. */
const spans = [15, 60, 480] as const

/** How long something takes, in words: "15 minutes". */
function lasting(minutes: number): string {
  const [n, unit] = minutes % 60 ? [minutes, 'minute'] : [minutes / 60, 'hour']
  return new Intl.NumberFormat(language.value, { style: 'unit', unit, unitDisplay: 'long' }).format(n)
}

/** The place is sent only after it was asked for, once or for as long as was chosen. */
async function sendPlace(jid: JID): Promise<void> {
  const span = await choose({
    title: t('place.title'), text: `${t('place.text')} ${t('place.liveText')}`,
    answers: [...spans.map((n) => ({ value: String(n), label: t('place.live', { time: lasting(n) }) })), { value: '0', label: t('place.once'), main: true }],
  })
  if (!span) return
  let place: Place
  try { place = await where() } catch { toast(t('place.refused')); return }
  if (span === '0') return sendContent(jid, { type: 'location', ...place })
  try { await share(jid, place, Number(span) * 60) } catch (error) { console.error('live', error); toast(t('notKept')) }
}

function PickContact({ jid, close }: { jid: JID; close: () => void }): JSX.Element {
  const [words, setWords] = useState('')
  const wanted = words.trim().toLocaleLowerCase()
  const people = contacts.value.map((c) => ({ jid: c.jid, name: c.name ?? c.nick ?? c.jid })).filter((c) => c.jid !== jid && c.name.toLocaleLowerCase().includes(wanted)).slice(0, 50)
  return (
    <Sheet title={t('attach.contact')} close={close}>
      <div class="search sunk"><Icon name="search" /><input type="search" dir="auto" aria-label={t('forward.search')} placeholder={t('forward.search')} value={words} onInput={(e) => setWords(e.currentTarget.value)} /></div>
      <ul class="acts scroll">
        {people.map((p) => <li key={p.jid}><button type="button" class="act" onClick={() => { close(); void sendContent(jid, { type: 'contact', jid: p.jid, name: p.name }) }}><Avatar id={p.jid} name={p.name} size="s" /><span class="cut" dir="auto">{p.name}</span></button></li>)}
      </ul>
    </Sheet>
  )
}

function MakePoll({ jid, close }: { jid: JID; close: () => void }): JSX.Element {
  const [question, setQuestion] = useState('')
  const [options, setOptions] = useState(['', ''])
  const [many, setMany] = useState(false)
  const [closes, setCloses] = useState('')
  const full = options.map((o) => o.trim()).filter(Boolean)
  const change = (i: number, value: string): void => {
    const next = options.map((o, j) => (j === i ? value : o))
    if (next.every(Boolean) && next.length < maxOptions) next.push('')
    setOptions(next)
  }
  const send = (event: Event): void => {
    event.preventDefault()
    close()
    void sendContent(jid, { type: 'poll', question: question.trim(), options: full, many, ...(closes ? { closes: new Date(closes).getTime() * 1000 } : {}), votes: {} })
  }
  return (
    <Sheet title={t('attach.poll')} close={close}>
      <form class="form" onSubmit={send}>
        <Field label={t('poll.question')} value={question} change={setQuestion} limit={500} required focus />
        {options.map((o, i) => <Field key={i} label={t('poll.answer', { n: i + 1 })} value={o} change={(v) => change(i, v)} limit={200} />)}
        <Switch label={t('poll.many')} on={many} change={setMany} />
        <div class="field"><label for="poll-closes">{t('poll.closes')}</label><input id="poll-closes" type="datetime-local" value={closes} aria-describedby="poll-closes-hint" onInput={(e) => setCloses(e.currentTarget.value)} /><span class="hint" id="poll-closes-hint">{t('poll.closesHint')}</span></div>
        <div class="do"><Button kind="t" act={close}>{t('cancel')}</Button><Button kind="p" submit disabled={!question.trim() || full.length < 2}>{t('send')}</Button></div>
      </form>
    </Sheet>
  )
}
