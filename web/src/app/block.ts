// The sheet that blocks and reports, for whoever offers it: it is loaded with the feature "about" when it is first needed.
import { loadPart } from '../i18n/t.ts'

/** block asks whether and why to tell the operator too, and blocks; `then` is done when it was decided. It rejects when the sheet cannot be loaded. */
export async function block(jid: string, name: string, then: () => void = () => undefined): Promise<void> {
  const [acts] = await Promise.all([import('../features/about/acts.tsx'), loadPart('about')])
  acts.block(jid, name, then)
}
