import type { JSX } from 'preact'

/** Logo is the mark of Palabre: the tree under which people talk, above two waves. */
export function Logo(): JSX.Element {
  return (
    <svg class="logo" viewBox="0 0 64 64" role="img" aria-label="Palabre">
      <rect width="64" height="64" rx="16" fill="#00687f" />
      <path fill="#fff" d="M12 27c0-4 3.500-7 7.500-7 .8-5.600 6-10 12.500-10s11.700 4.400 12.500 10c4 0 7.500 3 7.500 7 0 3-2.500 5-5.500 5H17.500c-3 0-5.500-2-5.500-5z" />
      <path fill="none" stroke="#fff" stroke-width="3.400" stroke-linecap="round" stroke-linejoin="round" d="M32 44V30M32 38l-7.500-6M32 35.500l6.500-5" />
      <path fill="none" stroke="#ffbb48" stroke-width="3.400" stroke-linecap="round" d="M12 46.500q5-4 10 0t10 0 10 0 10 0" />
      <path fill="none" stroke="#8fd9e6" stroke-width="3.400" stroke-linecap="round" d="M17 54q5-4 10 0t10 0 10 0" />
    </svg>
  )
}
