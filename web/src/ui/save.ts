// Handing files to the person.

const longMs = 60_000

/** saveAs has the browser keep bytes as a file with this name. */
export function saveAs(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name.replace(/[\\/:*?"<>|\p{Cc}]/gu, '_').slice(0, 120)
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), longMs)
}

/** share hands a text or an address to the device's own sheet of apps; where there is none it is copied. Gives what was done. */
export async function share(data: { title?: string; text?: string; url?: string }): Promise<'shared' | 'copied' | 'no'> {
  if (navigator.share) {
    try { await navigator.share(data); return 'shared' } catch (error) { if ((error as DOMException).name === 'AbortError') return 'no' }
  }
  return await copy([data.text, data.url].filter(Boolean).join('\n')) ? 'copied' : 'no'
}

/** copy puts a text on the clipboard; false where the browser forbids it. */
export async function copy(text: string): Promise<boolean> {
  try { await navigator.clipboard.writeText(text); return true } catch { return false }
}
