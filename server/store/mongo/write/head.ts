import { randomUUID } from 'node:crypto'
import { AppError } from '../../../errors.ts'
import type { Collections } from '../collections.ts'
import type { HeadRow } from '../rows.ts'

export async function readHead({ head }: Collections): Promise<HeadRow> {
  const row = await head.findOne({ _id: 'head' }, { readConcern: 'majority' })
  if (!row) throw new AppError('unavailable', 'The database has no head of its folds.')
  return row
}

/** False when somebody else moved it, or, where that is to be respected, while a question holds it. */
export async function moveHead(
  { head }: Collections,
  { applied, phase }: Pick<HeadRow, 'applied' | 'phase'>,
  to: Partial<HeadRow>,
  unlessHeld = false,
): Promise<boolean> {
  const filter = { _id: 'head' as const, applied, phase, ...(unlessHeld && { hold: '' }) }
  return (await head.updateOne(filter, { $set: to })).matchedCount === 1
}

/** The rows of the fold are written: all of them before the instant that the head has from now on. */
export async function endFold(
  { rows, time }: { rows: Collections; time(): HeadRow['time'] | null },
  head: Pick<HeadRow, 'applied'>,
): Promise<boolean> {
  const fold = head.applied + 1
  const idle = { phase: 'idle' as const, applied: fold, batches: [], plan: '', parts: 0, owner: '', beat: 0 }
  const instant = time()
  return moveHead(rows, { applied: head.applied, phase: 'apply' }, { ...idle, ...(instant && { time: instant }) })
}

const BEAT_MS = 400

/**
 * Tells others that a fold which is still being worked out is not left alone, so that nobody takes it over. `isHeld` turns
 * false when somebody did all the same, or when that cannot be known any more. Call `end` in any case.
 */
export function beatHead({ head }: Collections, { applied, owner }: HeadRow): { isHeld(): boolean; end(): void } {
  let isHeld = true
  let failed = 0
  const timer = setInterval(async () => {
    const mine = { _id: 'head' as const, applied, phase: 'plan' as const, owner }
    const beat = await head.updateOne(mine, { $inc: { beat: 1 } }).catch(() => null)
    failed = beat ? 0 : failed + 1
    if (beat?.matchedCount === 0 || failed > 2) isHeld = false
  }, BEAT_MS)
  return { isHeld: () => isHeld, end: () => clearInterval(timer) }
}

/**
 * Keeps folds of all processes from being applied, for a short time that they see to. Whoever holds it last is served;
 * the others still find out when they were overtaken. Call what it resolves to when the question is answered.
 */
export async function holdHead({ head }: Collections): Promise<() => Promise<void>> {
  const hold = randomUUID()
  await head.updateOne({ _id: 'head' }, { $set: { hold } })
  return async () => {
    await head.updateOne({ _id: 'head', hold }, { $set: { hold: '' } })
  }
}
