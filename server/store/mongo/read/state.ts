import { AppError } from '../../../errors.ts'
import { causal } from '../causal.ts'
import type { Collections } from '../collections.ts'
import type { HeadRow } from '../rows.ts'
import type { Folder } from '../write/folder.ts'
import type { Gate } from '../write/gate.ts'
import { holdHead, readHead } from '../write/head.ts'
import { unfoldedBatches } from '../write/ledger.ts'

/** Asks again for this long when folds come in between. */
const PATIENCE_MS = 6000
/** Tries before folds are held up for the question. */
const FREE_TRIES = 3

export interface Asking {
  rows: Collections
  folder: Folder
  gate: Gate
}

/**
 * Answers with everything in it that was stored before the question came: batches that no fold has yet are folded
 * first, whoever stored them. For questions that one document answers.
 */
export async function withAllStored<T>({ rows, folder }: Asking, question: Question<T>): Promise<T> {
  const [unfolded, head] = await Promise.all([unfoldedBatches(rows), readHead(rows)])
  await folder.settle(unfolded)
  return answered(rows, unfolded.length > 0 ? await readHead(rows) : head, question)
}

/** Asks these collections alone: they have every fold that the head knows of. */
export type Question<T> = (rows: Collections) => Promise<T>

async function answered<T>(rows: Collections, { time }: HeadRow, question: Question<T>): Promise<T> {
  // A server by itself has no instants, and only one state.
  if (!time) return question(rows)
  const own = causal(rows, time)
  try {
    return await question(own.rows)
  } finally {
    await own.end()
  }
}

/**
 * The same for a question that takes several rows, from one state of the roll-ups: no fold may have been written while
 * they were read. A fold that stands half-way is finished first, whoever began it. A question that folds overtake again
 * and again holds them up for a moment.
 */
export async function inOneState<T>({ rows, folder, gate }: Asking, question: Question<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS
  let release: (() => Promise<void>) | null = null
  // What was stored before the first try is all that must be in the answer.
  let unfolded: readonly string[] | null = null
  const attempt = async (): Promise<Attempt<T>> => {
    const [waiting, before] = await Promise.all([unfolded ?? unfoldedBatches(rows), readHead(rows)])
    if (waiting.length > 0) return { failure: 'unfolded', waiting }
    unfolded = waiting
    if (before.phase === 'apply') return { failure: 'applying' }
    const answer = await answered(rows, before, question)
    const after = await readHead(rows)
    return after.phase !== 'apply' && after.applied === before.applied ? { answer } : { failure: 'overtaken' }
  }
  try {
    for (let tries = 1; ; tries++) {
      const tried = await gate.ask(attempt)
      if ('answer' in tried) return tried.answer
      if (performance.now() > deadline)
        throw new AppError('unavailable', 'The figures are changing too fast to be read.')
      if (tried.failure === 'unfolded') {
        await folder.settle(tried.waiting)
        unfolded = []
      }
      if (tries >= FREE_TRIES) release ??= await holdHead(rows)
      if (tried.failure === 'applying') await folder.finishStanding()
    }
  } finally {
    // One that stays is cleared by the next fold.
    await release?.().catch(nothing)
  }
}

type Attempt<T> =
  | { answer: T }
  | { failure: 'unfolded'; waiting: readonly string[] }
  | { failure: 'applying' | 'overtaken' }

function nothing(): void {}
