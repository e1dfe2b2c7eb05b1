// From no account to an open one, without loading the page anew; and from one account to another, with it.
import { open } from './open.ts'
import { begin, ready } from './session.ts'

/** enter opens the account that was just made or signed in to. Where another is open already the page is loaded anew, at a path. */
export async function enter(path: string): Promise<'here' | 'anew'> {
  void keep()
  if (ready.value) { location.assign(path); return 'anew' }
  const engine = await open()
  if (engine) begin(engine)
  return 'here'
}

/** keep asks the browser not to delete what is stored here. False when it refused or cannot. */
export async function keep(): Promise<boolean> {
  try { return (await navigator.storage?.persist?.()) ?? false } catch { return false }
}
