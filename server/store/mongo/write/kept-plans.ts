import { randomUUID } from 'node:crypto'
import { AppError } from '../../../errors.ts'
import type { Collections } from '../collections.ts'
import type { HeadRow, PlanRow } from '../rows.ts'
import { forgetPlans } from './plan.ts'

/** So long plans stay after the last sign of life of whoever wants them; clocks of machines differ less. */
const KEPT_MS = 10 * 60_000
const BEAT_MS = 30_000

/** What a backup asks of every process that folds. */
export interface KeptPlans {
  /** AppError unavailable when plans may be gone because this process was away for too long. */
  assertKept(): void
  end(): Promise<void>
}

/**
 * From now on the plans of folds stay, marked when they are certain: whoever has copied rows while folds went on brings
 * the copies to one state with them. AppError unavailable while somebody else does so.
 */
export async function keepPlans({ head }: Collections): Promise<KeptPlans> {
  const owner = randomUUID()
  const until = () => new Date(Date.now() + KEPT_MS)
  const free = { _id: 'head' as const, $or: [{ keep: { $exists: false } }, { 'keep.until': { $lt: new Date() } }] }
  const now = await head.findOne({ _id: 'head' })
  const { matchedCount } = await head.updateOne(free, {
    $set: { keep: { owner, from: now?.applied ?? 0, until: until() } },
  })
  if (matchedCount === 0) throw new AppError('unavailable', 'Another backup of this database is being made.')
  let heardAt = performance.now()
  const timer = setInterval(async () => {
    const kept = await head
      .updateOne({ _id: 'head', 'keep.owner': owner }, { $set: { 'keep.until': until() } })
      .catch(() => null)
    if (kept?.matchedCount === 1) heardAt = performance.now()
  }, BEAT_MS).unref()
  return {
    assertKept() {
      if (performance.now() - heardAt > KEPT_MS / 2)
        throw new AppError('unavailable', 'The database was away for too long while it was copied; try again.')
    },
    async end() {
      clearInterval(timer)
      await head.updateOne({ _id: 'head', 'keep.owner': owner }, { $unset: { keep: '' } })
    },
  }
}

function isKept({ keep }: HeadRow): boolean {
  return keep !== undefined && keep.until.getTime() > Date.now()
}

/** To be called while the fold is applied, before the head says that it is over. */
export async function markPlan({ plans }: Collections, head: HeadRow): Promise<void> {
  if (!isKept(head) || head.parts === 0) return
  const ids = Array.from({ length: head.parts }, (_, part) => `${head.plan} ${part}`)
  await plans.updateMany({ _id: { $in: ids } }, { $set: { certain: head.parts } })
}

/** Forgets the plans of folds that are over, but those that somebody wants. */
export async function forgetOldPlans(rows: Collections, head: HeadRow): Promise<void> {
  const fold = head.applied + 1
  await forgetPlans(rows, isKept(head) ? Math.min(fold, head.keep!.from) : fold)
}

/** The plans of the folds after one, up to another, in their order. AppError unavailable when one is not there. */
export async function* plansBetween({ plans }: Collections, after: number, last: number): AsyncGenerator<PlanRow> {
  for (let fold = after + 1; fold <= last; fold++) {
    const found = await plans
      .find({ fold, certain: { $exists: true } })
      .sort({ _id: 1 })
      .toArray()
    if (found.length === 0 || found.length !== found[0]!.certain)
      throw new AppError(
        'unavailable',
        'Figures changed by a process that keeps no plans while they were copied; try again.',
      )
    yield* found
  }
}
