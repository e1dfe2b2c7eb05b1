import type { JSX } from 'preact'

/** TalkDrawing is for screens without anything yet: two bubbles on two waves. */
export function TalkDrawing(): JSX.Element {
  return (
    <svg class="drawing" viewBox="0 0 180 116" fill="none" aria-hidden="true" stroke-linecap="round" stroke-linejoin="round">
      <path fill="var(--accent)" d="M46 8h52a14 14 0 0 1 14 14v22a14 14 0 0 1-14 14H62L48 70V58h-2a14 14 0 0 1-14-14V22A14 14 0 0 1 46 8z" />
      <path stroke="var(--on-accent)" stroke-width="5" d="M50 27h44" /><path stroke="var(--on-accent)" stroke-width="5" d="M50 40h26" opacity=".6" />
      <path fill="var(--bub-out)" stroke="var(--surface)" stroke-width="3" d="M98 30h40a12 12 0 0 1 12 12v20a12 12 0 0 1-12 12v11l-13-11H98a12 12 0 0 1-12-12V42a12 12 0 0 1 12-12z" />
      <path stroke="var(--accent)" stroke-width="5.500" d="M104 53l9 9 17-19" />
      <path stroke="var(--gold)" stroke-width="5" d="M8 88q14-11 28 0t28 0 28 0 28 0 28 0 24-2" />
      <path stroke="var(--gold)" stroke-width="5" opacity=".4" d="M32 106q14-11 28 0t28 0 28 0 28-2" />
    </svg>
  )
}
