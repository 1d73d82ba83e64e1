import type { AnyBulkWriteOperation, Collection } from 'mongodb'
import type { Collections } from '../collections.ts'
import { type PlannedRow, rollupNames } from '../rows.ts'
import { unwritten } from './bulk.ts'

/** Rows in one command. */
const STEP_ROWS = 1000

/**
 * Writes the rows of a plan, those that are not written yet: a row says by which fold it was written last. So any
 * number may apply the same plan, at once and long after it was done.
 */
export async function applyPlan(
  rows: Collections,
  fold: number,
  planned: PlannedRow[],
  afterStep: () => Promise<void>,
): Promise<void> {
  for (const name of rollupNames) {
    const own = planned.filter(({ into }) => into === name)
    const collection = rows[name] as unknown as Collection<{ _id: string; fold: number }>
    for (let from = 0; from < own.length; from += STEP_ROWS) {
      const operations = own.slice(from, from + STEP_ROWS).map(({ isNew, row }): Write => {
        if (isNew) return { insertOne: { document: row } }
        return { replaceOne: { filter: { _id: row._id, fold: { $lt: fold } }, replacement: row } }
      })
      const { refused } = await unwritten(collection.bulkWrite(operations, { ordered: false }))
      if (refused.size > 0) throw new Error(`a row of ${name} was refused: ${[...refused.values()][0]}`)
      await afterStep()
    }
  }
}

type Write = AnyBulkWriteOperation<{ _id: string; fold: number }>
