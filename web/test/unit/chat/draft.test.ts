// A draft that corrects or answers something comes back as that, also when its message is far above: it must never leave as a new message.
import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../../src/core/engine.ts'
import type { Chat, Draft as Kept, Message } from '../../../src/core/model.ts'
import { Draft } from '../../../src/features/chat/draft.ts'
import { editing, replying } from '../../../src/features/chat/state.ts'

const message = (id: string): Message => ({ id, chat: 'a@b', order: 1, time: 1, from: 'me@b', own: true, content: { type: 'text', text: id }, protection: 'omemo' })
const chat = (draft: Omit<Kept, 'time'>): Chat => ({ jid: 'a@b', kind: 'person', name: 'a', time: 1, unread: 0, protection: 'omemo', draft: { ...draft, time: 1 } })

/** An engine that has these messages, and keeps drafts. */
function engineWith(...ids: string[]): { engine: Engine; drafts: (Kept | undefined)[] } {
  const drafts: (Kept | undefined)[] = []
  const engine = {
    page: async (_: string, at: { around?: string }) => ({ messages: ids.filter((id) => id === at.around).map(message), older: false, newer: true }),
    setDraft: async (_: string, draft: Kept | undefined) => { drafts.push(draft) },
    typing: () => undefined,
  } as unknown as Engine
  return { engine, drafts }
}

beforeEach(() => {
  editing.value = undefined
  replying.value = undefined
})

describe('a draft', () => {
  it('finds what it corrects in the window at once', () => {
    const draft = new Draft(engineWith().engine, chat({ text: 'x', edit: 'm1' }))
    void draft.restore([message('m1')])
    expect(editing.value?.id).toBe('m1')
  })

  it('finds what it corrects and answers beyond the window', async () => {
    const draft = new Draft(engineWith('m1', 'm2').engine, chat({ text: 'x', edit: 'm1', reply: 'm2' }))
    await draft.restore([])
    expect([editing.value?.id, replying.value?.id]).toEqual(['m1', 'm2'])
  })

  it('is a correction also while its message is looked for', async () => {
    const { engine, drafts } = engineWith('m1')
    const draft = new Draft(engine, chat({ text: 'x', edit: 'm1' }))
    const found = draft.restore([])
    expect(draft.target().edit).toBe('m1')
    draft.write('xy', undefined, undefined)
    draft.flush()
    expect(drafts.at(-1)?.edit).toBe('m1')
    await found
    draft.close()
  })

  it('that was sent before its message was found corrects nothing any more', async () => {
    const draft = new Draft(engineWith('m1').engine, chat({ text: 'x', edit: 'm1' }))
    const found = draft.restore([])
    draft.sent()
    await found
    expect(editing.value).toBeUndefined()
    expect(draft.target().edit).toBeUndefined()
  })

  it('comes back as a correction when it could not be kept', async () => {
    const draft = new Draft(engineWith().engine, chat({ text: '' }))
    const shown = [message('m1')]
    draft.sent()
    await draft.seek({ reply: undefined, edit: 'm1' }, shown)
    expect(editing.value?.id).toBe('m1')
  })
})
