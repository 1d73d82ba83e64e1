import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../errors.ts'
import { hasChanges, type OnProgress, oldestReader } from '../steps.ts'
import { isDuplicateKey } from './client.ts'
import type { Collections } from './collections.ts'
import { keepCopies } from './copies.ts'
import type { MetaRow } from './rows.ts'
import { FIRST_MONGO_FORMAT, type MongoStep, mongoSteps } from './steps.ts'

/** A process that works on a step says so this often; after three times as long another takes over. */
const BEAT_MS = 2000
const WAIT_MS = 100

/** What the database says of its format. AppError conflict for one that this program must not use. */
export function formatOf(meta: MetaRow, steps: readonly MongoStep[] = mongoSteps): number {
  if (meta.restoring)
    throw new AppError(
      'conflict',
      'The database has half of a backup or of a copy that was put back: do that again (npm run restore with --force, or npm run store -- put-back).',
    )
  if (meta.version > steps.length)
    throw new AppError(
      'conflict',
      `The database is of a newer Veritas (its format is ${meta.version}, this one knows ${steps.length}): start that version, or go back with it: npm run store -- put-back.`,
    )
  return meta.format ?? meta.version
}

/** The mark of a database that is made by all steps. */
export function newestMeta(steps: readonly MongoStep[] = mongoSteps): MetaRow {
  const version = oldestReader(steps, steps.length, FIRST_MONGO_FORMAT)
  return { _id: 'store', version, format: steps.length }
}

/**
 * Brings a database to the format of this program; of several processes one does it and the others wait. Programs that
 * do not know the new format are kept from opening it before a step changes anything. AppError unavailable, with nothing
 * changed, where there is no room for the copies.
 */
export async function migrate(
  rows: Collections,
  onProgress?: OnProgress,
  steps: readonly MongoStep[] = mongoSteps,
): Promise<void> {
  for (;;) {
    const meta = await rows.meta.findOne({ _id: 'store' })
    if (!meta) throw new AppError('conflict', 'The database has lost its mark (meta): is it being restored?')
    if (formatOf(meta, steps) >= steps.length) return
    if (await workOn(rows, steps, onProgress)) return
    await sleep(WAIT_MS)
  }
}

/** False while another process is at it. */
async function workOn(
  rows: Collections,
  steps: readonly MongoStep[],
  onProgress: OnProgress | undefined,
): Promise<boolean> {
  const owner = randomUUID()
  if (!(await claim(rows, owner))) return false
  const beat = setInterval(() => void claim(rows, owner).catch(() => undefined), BEAT_MS)
  try {
    const meta = await rows.meta.findOne({ _id: 'store' })
    const from = meta ? formatOf(meta, steps) : steps.length
    if (from < steps.length && hasChanges(steps, from)) {
      const version = oldestReader(steps, steps.length, FIRST_MONGO_FORMAT)
      const copied = [...new Set(steps.slice(from).flatMap((step) => step.of ?? []))]
      await keepCopies(rows, from, copied, (done, of) => onProgress?.({ step: 'keeps a copy', done, of }))
      await rows.meta.updateOne({ _id: 'store' }, { $set: { version, format: from } })
    }
    for (const [index, { name, run }] of steps.entries()) {
      if (index < from) continue
      await run(rows, (done, of) => onProgress?.({ step: name, done, of }))
      await rows.meta.updateOne({ _id: 'store' }, { $set: { format: index + 1 } })
    }
    return true
  } finally {
    clearInterval(beat)
    await rows.steps.deleteOne({ _id: 'work', owner })
  }
}

/** Makes this process the one that works on the steps, or says that it still does. */
async function claim({ steps }: Collections, owner: string): Promise<boolean> {
  const now = Date.now()
  const free = { _id: 'work' as const, $or: [{ owner }, { beat: { $lt: now - 3 * BEAT_MS } }] }
  try {
    const { matchedCount, upsertedCount } = await steps.updateOne(
      free,
      { $set: { owner, beat: now } },
      { upsert: true },
    )
    return matchedCount + upsertedCount > 0
  } catch (error) {
    if (isDuplicateKey(error)) return false
    throw error
  }
}
