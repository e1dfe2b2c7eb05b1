// Which of the files that are shown in a dispute are pictures.

/** Pictures by their first bytes. RIFF is WebP only if it says so after its length: sounds and films begin with it, too. */
const pictures: [string, RegExp][] = [['image/png', /^\x89PNG/], ['image/jpeg', /^\xff\xd8\xff/], ['image/gif', /^GIF8/], ['image/webp', /^RIFF[^]{4}WEBP/]]

/** pictureType is the type of a picture by its first twelve bytes; whatever a name says, nothing else is shown in the page. */
export function pictureType(head: Uint8Array): string | undefined {
  const text = String.fromCharCode(...head.subarray(0, 12))
  return pictures.find(([, begins]) => begins.test(text))?.[0]
}
