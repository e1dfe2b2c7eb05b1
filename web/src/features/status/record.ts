// Recording a voice for a status: mp4 first, because iPhones do not play webm.

/** What is being recorded. */
export interface Recording {
  seconds(): number
  /** It has become as long as it may be. */
  over(): boolean
  stop(): Promise<{ blob: Blob; seconds: number; ending: string }>
  /** Throws it away and lets the microphone go; after stop() nothing. */
  cancel(): void
}

const kinds = ['audio/mp4;codecs=opus', 'audio/mp4', 'audio/webm;codecs=opus', 'audio/ogg;codecs=opus']
const bits = 24_000
const longest = 60

/** record asks for the microphone and begins. It rejects when a person or the device refuses. */
export async function record(): Promise<Recording> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, channelCount: 1 } })
  const free = (): void => { for (const track of stream.getTracks()) track.stop() }
  try {
    const mimeType = kinds.find((k) => MediaRecorder.isTypeSupported(k))
    const recorder = new MediaRecorder(stream, { ...(mimeType ? { mimeType } : {}), audioBitsPerSecond: bits })
    const pieces: Blob[] = []
    const since = Date.now()
    const seconds = (): number => (Date.now() - since) / 1000
    recorder.addEventListener('dataavailable', (e) => { if (e.data.size) pieces.push(e.data) })
    recorder.start(1000)
    return {
      seconds,
      over: () => seconds() > longest,
      stop: async () => {
        const lasted = seconds()
        const ended = new Promise((done) => recorder.addEventListener('stop', done, { once: true }))
        recorder.stop()
        await ended
        free()
        const type = recorder.mimeType
        return { blob: new Blob(pieces, { type }), seconds: lasted, ending: type.includes('mp4') ? 'm4a' : type.includes('ogg') ? 'ogg' : 'webm' }
      },
      cancel: () => { if (recorder.state !== 'inactive') recorder.stop(); free() },
    }
  } catch (error) {
    free()
    throw error
  }
}
