import type { StoredEvent } from './store.ts'

/**
 * How a store of an older program becomes one of this program: step n brings it from format n - 1 to n. Steps are only
 * ever appended.
 */
export interface Step<Work> {
  /** What it does, as an operator reads it: "keeps the zone of each session". */
  name: string
  /**
   * `adds`: programs of the format before read and write the store as before, and what they write later is as good
   * without what was added (mind the tables of months, which they go on making in their own way). `changes`: they would misread or miswrite it, so that they must not open it any more, none may have it
   * open meanwhile, and a copy is kept first.
   */
  kind: 'adds' | 'changes'
  run: Work
}

/** Told while a step works: how much of its work is done, in units of its own. */
export type OnProgress = (progress: { step: string; done: number; of: number }) => void

/**
 * The oldest format that a program must know to use a store of `format`. Until `first`, the format of the first release,
 * each needs its own.
 */
export function oldestReader(steps: readonly Pick<Step<unknown>, 'kind'>[], format: number, first: number): number {
  const changed = steps.slice(0, format).findLastIndex(({ kind }) => kind === 'changes') + 1
  return Math.max(Math.min(format, first), changed)
}

/** Whether a step of those between two formats changes what was there. */
export function hasChanges(steps: readonly Pick<Step<unknown>, 'kind'>[], from: number): boolean {
  return steps.slice(from).some(({ kind }) => kind === 'changes')
}

/**
 * What a program has to do before it can use a store: nothing, steps that only add, steps that change what is there, or
 * to be a newer one.
 */
export type Need = 'nothing' | 'adds' | 'changes' | 'newer'

export interface StoreState {
  format: number
  oldestReader: number
  /** The format of this program. */
  known: number
  need: Need
  /** What is kept of before the last change: where, its format, and when it was made (epoch milliseconds). */
  copy: { at: string; format: number; madeAt: number } | null
}

/** Is given the events that a copy which is put back does not have, before they go. */
export type KeepEvents = (events: StoredEvent[]) => Promise<void>

/** What came of putting a copy back. */
export interface PutBack {
  format: number
  madeAt: number
  /** Where the newer store is now; null where it is what the copy was put into. */
  aside: string | null
}

export function needOf(
  steps: readonly Pick<Step<unknown>, 'kind'>[],
  { format, oldestReader }: Pick<StoreState, 'format' | 'oldestReader'>,
): Need {
  if (oldestReader > steps.length) return 'newer'
  if (format >= steps.length) return 'nothing'
  return hasChanges(steps, format) ? 'changes' : 'adds'
}
