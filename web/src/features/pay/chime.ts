// The sound of the counter: two notes, made here. Where there is no sound, the screen says it all the same.

const notes = [659.25, 987.77]
const each = 0.18

/** chime plays it once. */
export function chime(): void {
  try {
    const context = new AudioContext()
    notes.forEach((frequency, i) => {
      const [tone, loud] = [context.createOscillator(), context.createGain()]
      const at = context.currentTime + i * each
      tone.frequency.value = frequency
      loud.gain.setValueAtTime(0.0001, at)
      loud.gain.exponentialRampToValueAtTime(0.5, at + 0.02)
      loud.gain.exponentialRampToValueAtTime(0.0001, at + each * 2)
      tone.connect(loud).connect(context.destination)
      tone.start(at)
      tone.stop(at + each * 2)
      if (i === notes.length - 1) tone.onended = () => void context.close()
    })
  } catch { /* no sound here */ }
}
