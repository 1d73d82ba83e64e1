import type { Collection } from 'mongodb'
import type { Collections } from '../collections.ts'
import { type PlannedRow, type RollupName, rollupNames } from '../rows.ts'
import { unwritten } from './bulk.ts'

/** Rows in one command, and commands at once. */
const STEP_ROWS = 1000
const STEPS_AT_ONCE = 2

interface FoldedRow {
  _id: string
  fold: number
}

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
  const steps = rollupNames.flatMap((name) => stepsOf(rows, name, fold, planned))
  const lane = async () => {
    for (let step = steps.shift(); step; step = steps.shift()) {
      await step()
      await afterStep()
    }
  }
  await Promise.all(Array.from({ length: STEPS_AT_ONCE }, lane))
}

/** Rows that are new and rows that are not go apart: they would be two commands in one call, too. */
function stepsOf(rows: Collections, name: RollupName, fold: number, planned: PlannedRow[]): (() => Promise<void>)[] {
  const collection = rows[name] as unknown as Collection<FoldedRow>
  const ofName = planned.filter(({ into }) => into === name)
  const insertions = ofName.filter(({ isNew }) => isNew).map(({ row }): FoldedRow => row)
  const changes = ofName.filter(({ isNew }) => !isNew).map(({ row }): FoldedRow => row)
  const check = async (bulk: Promise<unknown>) => {
    const { refused } = await unwritten(bulk)
    if (refused.size > 0) throw new Error(`a row of ${name} was refused: ${[...refused.values()][0]}`)
  }
  return [
    ...inSteps(insertions).map((step) => () => check(collection.insertMany(step, { ordered: false }))),
    ...inSteps(changes).map((step) => () => {
      const operations = step.map((row) => ({
        replaceOne: { filter: { _id: row._id, fold: { $lt: fold } }, replacement: row },
      }))
      return check(collection.bulkWrite(operations, { ordered: false }))
    }),
  ]
}

function inSteps<T>(all: T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / STEP_ROWS) }, (_, step) =>
    all.slice(step * STEP_ROWS, (step + 1) * STEP_ROWS),
  )
}
