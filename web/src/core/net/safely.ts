/** Calls somebody else's function: what it throws is shown as an error of its own and ends nothing here. */
export function safely(call: () => void): void {
  try {
    call()
  } catch (error) {
    queueMicrotask(() => { throw error })
  }
}
