// What an administrator's page is about, and what it may ask (docs/protocol/admin.md). Everything fails with a StanzaError: `forbidden` for who
// is no administrator, `item-not-found`, `conflict`, and what is temporary as everywhere.

import type { JID, Micros } from './model.ts'
import type { Evidence } from './pay.ts'

/** One account in the list. */
export interface AdminAccount {
  name: string
  admin: boolean
  created: Micros
  /** The day of the last use, undefined if it never was. */
  seen?: Micros
  disabled: boolean
  online: boolean
  /** Apps that have access. */
  devices: number
  /** Uploaded, or promised room for. */
  bytes: number
}

/** One account with all that is shown of it. */
export interface AdminAccountDetail extends AdminAccount {
  /** Bytes that it may upload. */
  quota: number
  apps: { software: string; device: string; since: Micros; used: Micros; connected: boolean }[]
}

/** What can be done with an account. */
export type AdminChange = 'disable' | 'enable' | 'remove' | 'admin' | 'member' | 'sign-out'

/** An invitation that can still be used; `web` and `uri` only when it was just made. */
export interface AdminInvitation { id?: string; by?: string; name?: string; admin: boolean; uses: number; expires: Micros; uri?: string; web?: string }

/** What somebody told about an address that they block. */
export interface AdminReport { id: string; at: Micros; jid: JID; by: string; kind: string; words: string; messages: number; handled: boolean }

/** A setting or figure by its name. */
export type Facts = Record<string, string>

/** Figures of the last hour or day: values are `every` seconds apart, the last is the newest; null where there is none. */
export interface AdminHealth { at: Micros; every: number; facts: Facts; series: Record<string, (number | null)[]> }

/** Payments as a whole: what there is of each unit in minor units, and what rails do not know. Facts are named as on the wire (docs/protocol/admin.md). */
export interface AdminMoney { units: Facts[]; rails: Facts[]; unknown: Facts[] }

/** A wallet: what it may, and what is on it. */
export interface AdminPurse { facts: Facts; levels: string[]; money: Facts[] }

/** Lists of payments that are read page by page, or at once. */
export type AdminList = 'proposals' | 'suspicions' | 'audit'

/** What an administrator may ask. */
export interface Admin {
  /** A page of accounts in the order of their names. */
  accounts(ask: { after?: string; search?: string; max?: number }): Promise<{ total: number; more: boolean; accounts: AdminAccount[] }>
  account(name: string): Promise<AdminAccountDetail>
  change(name: string, change: AdminChange): Promise<void>
  /** A link with which the owner of an account sets a new password, once. */
  passwordLink(name: string): Promise<{ web: string; expires: Micros }>
  invitations(): Promise<AdminInvitation[]>
  invite(wanted: { name?: string; admin?: boolean; uses?: number; days?: number }): Promise<AdminInvitation>
  withdraw(id: string): Promise<void>
  reports(ask: { handled: boolean; before?: string }): Promise<{ open: number; more: boolean; reports: AdminReport[] }>
  handle(id: string, handled: boolean): Promise<void>
  limits(): Promise<Facts>
  storage(): Promise<Facts>
  health(span: 'hour' | 'day'): Promise<AdminHealth>
  /** Payments; `item-not-found` or `service-unavailable` where there are none. */
  money(): Promise<AdminMoney>
  /** Rows with their attributes, and their text as `words`. */
  office(list: AdminList, ask?: { decided?: boolean; before?: string }): Promise<{ more: boolean; rows: Facts[] }>
  /** Disputes, with what both sides have shown. */
  cases(ask?: { decided?: boolean; before?: string }): Promise<{ more: boolean; rows: { facts: Facts; evidence: Evidence[] }[] }>
  propose(wanted: { kind: string; account?: string; unit?: string; amount?: number; of?: string; why: string }): Promise<void>
  decide(id: string, approve: boolean): Promise<void>
  purse(account: string): Promise<AdminPurse>
  /** The payment keys of an account that were not dropped, the oldest first. */
  keys(account: string): Promise<Facts[]>
  changePurse(account: string, change: { do: 'level' | 'stop' | 'go-on'; level?: string; why: string }): Promise<AdminPurse>
  dismiss(id: string, why: string): Promise<void>
  uphold(id: string, why: string): Promise<void>
  /** How each network outside stands, and the transfers of which nobody knows, for the longest first. */
  rails(): Promise<{ rails: Facts[]; unknown: Facts[] }>
  /** Transfers of a network, the newest first, without whom they are about. */
  transfers(ask: { rail: string; before?: string }): Promise<{ more: boolean; rows: Facts[] }>
  /** One, with whom it is about, and the states that it was in. */
  transfer(id: string): Promise<{ facts: Facts; steps: Facts[] }>
  /** Has the network asked now. */
  askRail(id: string): Promise<void>
  verdicts(decided: boolean): Promise<Facts[]>
  /** Proposes what became of a transfer that nobody knows of; another administrator agrees. */
  propound(verdict: { id: string; state: 'settled' | 'rejected'; amount?: number; why: string }): Promise<void>
  agree(number: string): Promise<void>
  /** Ends a verdict without anything being booked: who has proposed it withdraws it, anybody else refuses it. */
  disagree(number: string): Promise<void>
  /** What the nightly comparisons with a network's list have found, the newest first. */
  comparisons(ask: { rail: string; before?: string }): Promise<{ more: boolean; rows: Facts[] }>
  /** Compares a day (2026-11-21, UTC) now. */
  compare(rail: string, day: string): Promise<Facts>
  differences(number: string): Promise<{ more: boolean; rows: Facts[] }>
  /** A page of the export: lines of CSV, and after which number to go on. */
  journal(ask: { since?: string; until?: string; after?: string }): Promise<{ text: string; next?: string }>
}
