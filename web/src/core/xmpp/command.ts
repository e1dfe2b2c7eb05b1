// Commands of the server that are forms (XEP-0050): invitations, privacy, administration.

import { form, readForm, type Value } from './form.ts'
import { domain } from './jid.ts'
import { COMMANDS, DISCO_ITEMS, FORM } from './ns.ts'
import type { Session } from './session.ts'
import { StanzaError } from './stanza.ts'
import { el, type Element } from './xml.ts'

/** What a command said: values by the names of fields, in words the note. */
export interface CommandResult {
  values: Map<string, string[]>
  note: string
  /** It is over; otherwise it wants a form to be filled in. */
  completed: boolean
}

const read = (command: Element | undefined): CommandResult => ({
  values: readForm(command) ?? new Map(), note: (command?.textOf('note') ?? '').slice(0, 2000), completed: command?.attr('status') === 'completed',
})

/**
 * Runs a command of the server. With `fields` the form that it asks for is filled in with them, in one step; without, what the first step says is
 * given. Fails with `forbidden` for who may not, `item-not-found` where there is no such command.
 */
export async function execute(session: Session, node: string, fields?: Record<string, Value>): Promise<CommandResult> {
  const to = domain(session.account)
  const step = async (attrs: Record<string, string | undefined>, x?: Element) =>
    (await session.request('set', el(COMMANDS, 'command', { node, ...attrs }, x), { to })).child('command', COMMANDS)
  const first = await step({ action: 'execute' })
  if (first?.attr('status') === 'completed') return read(first)
  const sessionid = first?.attr('sessionid')
  if (!sessionid) throw new StanzaError('undefined-condition')
  if (!fields) {
    await step({ sessionid, action: 'cancel' })
    return read(first)
  }
  const type = first?.child('x', FORM)?.children('field').find((f) => f.attr('var') === 'FORM_TYPE')?.textOf('value')
  const last = await step({ sessionid, action: 'complete' }, form(type, fields))
  if (last?.attr('status') !== 'completed') await step({ sessionid, action: 'cancel' })
  return read(last)
}

/** The commands that the account may run: node → name. At most 200. */
export async function listCommands(session: Session): Promise<Map<string, string>> {
  const to = domain(session.account)
  const query = (await session.request('get', el(DISCO_ITEMS, 'query', { node: COMMANDS }), { to })).child('query', DISCO_ITEMS)
  return new Map(query?.children('item').slice(0, 200).map((i) => [i.attr('node') ?? '', i.attr('name') ?? '']))
}
