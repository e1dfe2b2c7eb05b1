// Where the worker begins.

import type { FromWorker, ToWorker } from './port.ts'
import { serve } from './worker.ts'

const scope = self as unknown as { postMessage(message: FromWorker): void; onmessage: ((event: MessageEvent<ToWorker>) => void) | null }
const take = serve((message) => scope.postMessage(message))
scope.onmessage = ({ data }) => take(data)
