// What is loaded when the first event is shown or made, or somebody looks who has voted.
import { over } from '../../ui/overlay.tsx'
import { MakeEvent } from './EventMake.tsx'

export { EventCard } from './EventCard.tsx'
export { showVotes } from './PollVotes.tsx'

/** makeEvent asks for an event, and sends it. */
export const makeEvent = (jid: string): Promise<void> => over((close) => <MakeEvent jid={jid} close={close} />)
