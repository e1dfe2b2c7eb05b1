import type { JSX } from 'preact'
import { useId } from 'preact/hooks'
import './css/pages.css'

interface RadiosProps<T extends string> {
  label: string
  hideLabel?: boolean
  value: T
  answers: { value: T; label: string; lang?: string }[]
  change: (value: T) => void
  /** Beside each other where there is room, as one bar. */
  bar?: boolean
}

/** Radios lets a person choose one of a few; the arrow keys go from one to the next. */
export function Radios<T extends string>({ label, hideLabel, value, answers, change, bar }: RadiosProps<T>): JSX.Element {
  const name = useId()
  return (
    <fieldset class={`radios${bar ? ' bar-of' : ''}`}>
      <legend class={hideLabel ? 'vh' : ''}>{label}</legend>
      <div>
        {answers.map((a) => (
          <label key={a.value}>
            <input type="radio" name={name} value={a.value} checked={a.value === value} onChange={() => change(a.value)} />
            <span lang={a.lang} dir="auto">{a.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
