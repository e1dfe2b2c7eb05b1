'use strict'
// The page behind links in notices. It shows what the link is about, and pays a request with the key of this browser.

const main = document.getElementById('main')
const lang = navigator.languages.map((one) => one.slice(0, 2)).find((one) => words[one]) ?? 'en'
document.documentElement.lang = lang
document.documentElement.dir = lang === 'ar' ? 'rtl' : 'ltr'
const t = (key, ...values) => (words[lang][key] ?? words.en[key]).replace(/\{(\d)\}/g, (_, n) => `\u2068${values[n]}\u2069`)
document.title = t('title')

/** The link's token stays in this tab, and not in the address. */
const token = location.hash.slice(1) || sessionStorage.getItem('token') || ''
sessionStorage.setItem('token', token)
history.replaceState(null, '', location.pathname)
addEventListener('hashchange', () => location.reload()) // another link, in the same tab

/** What the link is about, and what the service offers. */
let page, about

/** What the service's clock is ahead of this device's, in milliseconds, as its last answer says; what is signed ends by the service's. */
let ahead = 0
const serviceNow = () => Date.now() + ahead

class Refused extends Error {
  constructor(answer) {
    super('refused')
    this.conditions = new Map((answer.c ?? []).map((one) => [one.n, one.a ?? {}]))
  }
}

/** Asks the service. It throws Refused for its errors, and any other error where there is no answer. */
async function ask(request, set = false) {
  const response = await fetch('ask', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token, lang, set, ask: request }), signal: AbortSignal.timeout(30000) })
  ahead = (Date.parse(response.headers.get('Date') ?? '') || serviceNow()) - Date.now()
  if (response.status === 403) { expired(); return new Promise(() => {}) }
  if (!response.ok) throw new Error(`answered ${response.status}`)
  const answer = await response.json()
  if (answer.n === 'error') throw new Refused(answer)
  return answer
}

const child = (e, name) => (e.c ?? []).find((one) => one.n === name)
const children = (e, name) => (e.c ?? []).filter((one) => one.n === name)

/** An element; text, elements and nothing may be children. */
function el(name, attributes, ...inside) {
  const e = document.createElement(name)
  for (const [key, value] of Object.entries(attributes ?? {})) key.startsWith('on') ? e.addEventListener(key.slice(2), value) : value !== undefined && e.setAttribute(key, value)
  e.append(...inside.flat(3).filter((one) => one !== undefined && one !== false))
  return e
}

/** Shows something in place of what was there, and tells it to screen readers by moving the focus to its heading. */
function show(...inside) {
  main.replaceChildren(...inside.flat(3).filter(Boolean))
  const first = main.querySelector('[autofocus]') ?? main.querySelector('h1')
  if (first?.tagName === 'H1') first.tabIndex = -1
  first?.focus()
}

const say = (key, ...values) => el('p', {}, t(key, ...values))
const shout = (key, ...values) => el('p', { class: 'bad', role: 'alert' }, t(key, ...values))
const button = (text, kind, onclick) => el('button', { type: kind === 'submit' ? 'submit' : 'button', class: kind === 'plain' ? undefined : 'main', onclick }, text)
const called = (address) => address.split('@')[0]
const when = (text) => new Date(text).toLocaleString(lang, { dateStyle: 'medium', timeStyle: 'short' })

/** An amount for people, exact to the last digit. */
function sum(amount, code) {
  const digits = Number(children(about, 'unit').find((one) => one.a.code === code)?.a.exponent ?? 0)
  const text = String(amount).padStart(digits + 1, '0')
  const value = digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text
  const number = new Intl.NumberFormat(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value)
  return `${number}\u00a0${code}`
}

const facts = (...pairs) => el('dl', {}, pairs.filter((pair) => pair?.[1]).map(([name, value]) => [el('dt', {}, t(name)), el('dd', {}, value)]))

function expired() {
  sessionStorage.removeItem('token')
  show(el('h1', {}, t('link')), page ? say('linkWhy', page.a.service) : say('linkPlain'))
}

/** Runs something; where there is no answer, it can be asked for again. */
async function trying(run) {
  show(el('h1', {}, t('wait')))
  try {
    await run()
  } catch (error) {
    if (error instanceof Refused) return show(el('h1', {}, t('title')), shout(reason(error)))
    if (error instanceof NotConfirmed) return show(el('h1', {}, t('title')), shout('closed'), button(t('next'), 'main', () => trying(run)))
    console.error(error)
    show(el('h1', {}, t('title')), shout('offline'), button(t('ask'), 'main', () => trying(run)))
  }
}

/** Why something was refused, as a word of ours. */
function reason(error) {
  const known = { insufficient: 'insufficient', 'over-limit': 'limit', frozen: 'frozen', 'fee-changed': 'feeChanged', over: 'over', expired: 'expired', exceeds: 'over' }
  for (const [condition, word] of Object.entries(known)) if (error.conditions.has(condition)) return word
  return 'refused'
}

async function start() {
  if (!token) return expired()
  page = await ask(undefined)
  about = await ask({ n: 'about' })
  if (page.a.about === 'wallet') return wallet()
  for (const [name, view] of [['request', request], ['split', split], ['lookup', payment]]) {
    try {
      return await view(await ask({ n: name, a: { id: page.a.about } }))
    } catch (error) {
      if (!(error instanceof Refused) || !error.conditions.has('item-not-found')) throw error
    }
  }
  show(el('h1', {}, t('unknownThing')))
}

/** That a request comes again, each to be paid by itself. */
const again = ({ every, times, turn, last }) => every && say('again.' + every, new Date(last).toLocaleDateString(lang, { dateStyle: 'medium' }), Number(turn ?? 0) + 1, times)

/** A bill that was divided: the part of this account. */
async function split(bill) {
  const share = children(bill, 'share').find((one) => one.a.jid === page.a.account && one.a.request)
  if (!share) return show(el('h1', {}, t('unknownThing')))
  const rest = { ...bill.a, id: share.a.request, payer: page.a.account, amount: share.a.amount, state: share.a.state ?? 'open', paid: share.a.paid }
  return request({ n: 'request', a: rest }, false)
}

/** A request: to be paid or declined by this account, or one of its own. */
async function request(asked, declinable = true) {
  const { id, payee, payer, amount, paid, unit, state, expires } = asked.a
  const left = Number(amount) - Number(paid ?? 0)
  const mine = payer === page.a.account
  const { kind } = asked.a // a hold or a mandate: it is agreed to where those are kept and ended, in an app that knows them
  const head = [el('h1', {}, t(mine ? 'asks' : 'asked', called(mine ? payee : payer))), el('p', { class: 'sum' }, sum(left, unit)), asked.a.for && el('p', {}, asked.a.for), kind && say(kind, when(asked.a.until)), again(asked.a)]
  const known = facts([mine ? 'to' : 'from', mine ? payee : payer], ['until', expires && when(expires)])
  const pending = await look('pending', page.a.account + ' ' + id)
  if (mine && pending) return unknown(pending, asked)
  if (!mine || (state !== 'open' && state !== 'part')) return show(...head, known, el('p', {}, el('strong', {}, t('state.' + state))))
  if (kind) return show(...head, known, say('inApp'), refusing(id))
  const quote = await ask({ n: 'quote', a: { kind: 'send', payee, amount: String(left), unit, of: id } })
  const fee = Number(quote.a.fee ?? 0)
  const warnings = children(quote, 'warning').map((one) => el('p', { class: 'warn' }, t(one.a.kind, one.a.of ?? '')))
  const short = quote.a.short && el('p', { class: 'warn' }, t('insufficient'))
  const costs = fee > 0 && facts(['fee', sum(fee, unit)], ['total', sum(left + fee, unit)])
  const wanted = { id, payee, amount: left, unit, fee, for: asked.a.for ?? '', asked }
  show(...head, known, costs, ...warnings, short, button(t('pay', sum(left + fee, unit)), 'main', () => trying(() => confirm(wanted))),
    declinable && refusing(id))
}

const refusing = (id) => button(t('decline'), 'plain', () => trying(async () => { await ask({ n: 'decline', a: { id } }, true); show(el('h1', {}, t('declined'))) }))

/** Leads to the signature: with the key of this browser, or with a new one. */
async function confirm(wanted) {
  const key = await look('keys', page.a.account)
  const known = key && child(await ask({ n: 'wallet', a: { key: key.id } }), 'key')
  if (!known) return setUp(wanted)
  if (known.a.ready && new Date(known.a.ready) > serviceNow()) return show(el('h1', {}, t('notReady', when(known.a.ready))), say('notReadyWhy'))
  if (key.kind === 'passkey') return hand(wanted, key, (text) => signWithPasskey(key, text))
  enterPin(wanted, key)
}

const pinField = (id, label, first) => [el('label', { for: id }, label), el('input', { id, type: 'password', inputmode: 'numeric', autocomplete: 'one-time-code', maxlength: '32', required: '', autofocus: first ? '' : undefined })]

/** A form that says what is wrong in it; `run` returns a problem, or nothing. */
function form(run, ...inside) {
  const problem = el('div', {})
  return el('form', { novalidate: '', onsubmit: async (event) => {
    event.preventDefault()
    const sends = event.target.querySelector('button')
    sends.disabled = true
    problem.replaceChildren()
    const wrong = await run(event.target)
    sends.disabled = false
    if (wrong) problem.append(wrong)
  } }, ...inside, problem)
}

/** Makes the key of this browser. */
async function setUp(wanted) {
  const withLock = await hasLock()
  const use = async (made) => {
    await keep('keys', page.a.account, made.key) // before the service knows it: a key that is known and lost would be in the way
    await ask(made.request, true)
    await confirm(wanted)
  }
  const typed = async (target) => {
    const [one, two] = [target.querySelector('#one').value, target.querySelector('#two').value].map(plainPin)
    if (!/^\d{6,}$/.test(one)) return shout('short')
    if (one !== two) return shout('differ')
    const made = await makePinKey(one)
    await trying(() => use(made))
  }
  show(el('h1', {}, t('choose')), say('chooseWhy'), form(typed, ...pinField('one', t('pin'), true), ...pinField('two', t('again')), button(t('next'), 'submit')),
    withLock && button(t('lock'), 'plain', () => trying(async () => use(await makePasskey(page.a.account)))))
}

function enterPin(wanted, key) {
  const total = sum(wanted.amount + wanted.fee, wanted.unit)
  const typed = async (target) => {
    const pin = plainPin(target.querySelector('#pin').value)
    if (!/^\d{6,}$/.test(pin)) return shout('short')
    try {
      await hand(wanted, key, (text) => signWithPin(key, pin, text, async (verifier) => (await ask({ n: 'unlock', a: { key: key.id, verifier } }, true)).t))
    } catch (error) {
      target.querySelector('#pin').value = ''
      if (!(error instanceof Refused)) { console.error(error); return shout('offline') }
      if (error.conditions.has('wrong-pin')) return shout('wrong', error.conditions.get('wrong-pin').left)
      if (error.conditions.has('wait')) return shout('paused', when(error.conditions.get('wait').until))
      return shout(reason(error))
    }
  }
  show(el('h1', {}, t('pay', total)), el('p', { class: 'soft' }, `${t('to')}: ${wanted.payee}`), form(typed, ...pinField('pin', t('pin'), true), button(t('pay', total), 'submit')))
}

/** Signs the payment, keeps it, and hands it in. Until there is an answer it is the same one that is handed in again. */
async function hand(wanted, key, sign) {
  const expires = new Date(serviceNow() + 14 * 60000).toISOString().slice(0, 19) + 'Z'
  const text = intentText({ service: page.a.service, id: newID(), kind: 'send', payer: page.a.account, payee: wanted.payee, amount: wanted.amount, unit: wanted.unit, fee: wanted.fee, expires, of: wanted.id, for: wanted.for, key: key.id })
  const pending = { name: page.a.account + ' ' + wanted.id, request: { n: 'pay', c: [{ n: 'intent', t: text }, await sign(text)] } }
  await keep('pending', pending.name, pending)
  await submit(pending, wanted.asked)
}

async function submit(pending, asked) {
  show(el('h1', {}, t('wait')))
  let receipt
  try {
    receipt = await ask(pending.request, true)
  } catch (error) {
    if (!(error instanceof Refused) || error.conditions.has('internal-server-error') || error.conditions.has('resource-constraint')) return unknown(pending, asked)
    await keep('pending', pending.name)
    show(el('h1', {}, t('title')), shout(reason(error)), reason(error) !== 'refused' && say('refused'), button(t('next'), 'plain', () => trying(start)))
    return
  }
  const text = child(receipt, 'text')?.t ?? ''
  const proves = await provesDone(child(about, 'key')?.t ?? '', child(pending.request, 'intent').t, text, child(receipt, 'signature')?.t ?? '')
  if (proves === false) return show(el('h1', {}, t('unknown')), shout('forged'), button(t('ask'), 'main', () => submit(pending, asked)))
  await keep('pending', pending.name)
  const field = (name) => fieldOf(text, name)
  show(el('p', { class: 'mark', 'aria-hidden': 'true' }, '✓'), el('h1', {}, t('paid', called(field('payee')))), el('p', { class: 'sum' }, sum(field('amount'), field('unit'))),
    facts(['to', field('payee')], ['fee', field('fee') !== '0' && sum(field('fee'), field('unit'))], ['receipt', field('number')]), proves && say('checked'))
}

/** There was no answer: what is known is that it was signed. */
function unknown(pending, asked) {
  show(el('h1', {}, t('unknown')), say('unknownWhy'), button(t('ask'), 'main', () => submit(pending, asked)))
}

/** A payment that was made, or was not. */
function payment(found) {
  const { payer, payee, amount, unit, fee, state, number, time } = found.a
  const mine = payer === page.a.account
  if (found.a.kind === 'mandate') return show(el('h1', {}, t('title')), el('p', { class: 'sum' }, sum(amount, unit)), found.a.for && el('p', {}, found.a.for), say('mandate', when(found.a.until)), state === 'ended' && el('p', {}, el('strong', {}, t('state.ended'))), facts(['from', payer], ['to', payee]))
  show(el('h1', {}, state === 'done' ? t(mine ? 'paid' : 'got', called(mine ? payee : payer)) : t('title')), el('p', { class: 'sum' }, sum(amount, unit)), found.a.for && el('p', {}, found.a.for),
    el('p', {}, el('strong', {}, t('state.' + state))), facts(['from', payer], ['to', payee], ['fee', mine && fee !== '0' && sum(fee, unit)], ['until', found.a.until && when(found.a.until)], ['receipt', number && `${number} · ${when(time)}`]))
}

async function wallet() {
  const found = await ask({ n: 'wallet' })
  const frozen = Boolean(found.a?.frozen)
  show(el('h1', {}, t('wallet')), frozen && el('p', { class: 'warn' }, t('isFrozen')), children(found, 'balance').map((one) => el('p', { class: 'sum' }, sum(Number(one.a.amount) - Number(one.a.held ?? 0), one.a.unit))), el('p', { class: 'soft' }, page.a.account),
    el('h2', {}, t('keys')), el('ul', {}, children(found, 'key').map((one) => el('li', {}, `${one.a.name || one.a.kind}, ${when(one.a.added)}`))),
    !frozen && say('freezeWhy'), !frozen && button(t('freeze'), 'plain', () => trying(async () => { await ask({ n: 'freeze' }, true); await wallet() })))
}

trying(start)
