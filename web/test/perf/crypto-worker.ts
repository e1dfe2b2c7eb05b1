// The worker in which a browser measures.

import { measure } from './crypto-bench.ts'

void measure(true).then((figures) => self.postMessage(figures), (thrown: unknown) => self.postMessage({ failed: String(thrown) }))
