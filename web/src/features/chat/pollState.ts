// Whether one can still vote.
import type { Poll } from '../../core/model.ts'

/** isOver is whether a poll was closed, or its time is over. */
export const isOver = ({ closed, closes }: Pick<Poll, 'closed' | 'closes'>): boolean => closed !== undefined || (closes !== undefined && closes <= Date.now() * 1000)
