// Everything about the encrypted history, which is asked for seldom: one chunk.

export { historyState, newHistoryKey, openChunk, openIndex, sealChunk, sealIndex } from './history.ts'
export { Links } from './link.ts'
export { newRecovery, recover, wrap } from './recovery.ts'
