// The viewer and the editor of pictures, for whoever shows media: they are loaded with the feature "media" when they are first needed.
import { loadPart } from '../i18n/t.ts'

/** showMedia opens the viewer at a message of a chat, with the chat's other photos and videos beside it. */
export async function showMedia(jid: string, message: string): Promise<void> {
  const [{ view }] = await Promise.all([import('../features/media/viewer.tsx'), loadPart('media')])
  await view(jid, message)
}

/** What came of preparing a picture for sending. */
export interface Prepared { blob: Blob; width: number; height: number; caption: string; hd: boolean }

/** preparePicture lets a person crop, turn and draw on a picture, add a caption and keep full quality; undefined when they would rather not. */
export async function preparePicture(file: Blob, caption = ''): Promise<Prepared | undefined> {
  const [{ prepare }] = await Promise.all([import('../features/media/editor.tsx'), loadPart('media')])
  return prepare(file, caption)
}

/** takePhoto opens the camera and gives the photo; undefined when none was taken. */
export async function takePhoto(): Promise<Blob | undefined> {
  const [{ shoot }] = await Promise.all([import('../features/media/camera.tsx'), loadPart('media')])
  return shoot()
}
