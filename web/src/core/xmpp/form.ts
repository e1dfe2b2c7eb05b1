// Data forms (XEP-0004): what is filled in and sent, and what comes out.

import { FORM } from './ns.ts'
import { el, type Element } from './xml.ts'

/** A value of a field: text, a choice, or several lines. */
export type Value = string | number | boolean | string[] | undefined

/** A form of type submit; fields that are undefined are left out. */
export function form(type: string | undefined, fields: Record<string, Value>): Element {
  const field = (name: string, value: Value, hidden?: boolean) => value === undefined ? undefined : el(FORM, 'field', { var: name, type: hidden ? 'hidden' : undefined },
    ...(Array.isArray(value) ? value : [typeof value === 'boolean' ? (value ? '1' : '0') : String(value)]).map((v) => el(FORM, 'value', {}, v)))
  return el(FORM, 'x', { type: 'submit' }, field('FORM_TYPE', type, true), ...Object.keys(fields).map((name) => field(name, fields[name])))
}

/** The values of a form within an element by the names of its fields, undefined if there is none: the first, or the first of a type (XEP-0068). At most 200 fields. */
export function readForm(within: Element | undefined, type?: string): Map<string, string[]> | undefined {
  for (const x of within?.children('x', FORM).slice(0, 10) ?? []) {
    const fields = new Map(x.children('field').slice(0, 200).map((f) => [f.attr('var') ?? '', f.children('value').map((v) => v.text)]))
    if (type === undefined || fields.get('FORM_TYPE')?.[0] === type) return fields
  }
  return undefined
}
