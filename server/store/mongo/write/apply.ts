import { type Collection, MongoServerError } from 'mongodb'
import type { Collections } from '../collections.ts'
import { type PlannedRow, type RollupName, rollupNames } from '../rows.ts'
import { type Unwritten, unwritten } from './bulk.ts'

/** Rows in one command, and commands at once. */
const STEP_ROWS = 1000
const STEPS_AT_ONCE = 2

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

/** Rows that are new, those that are replaced and those of which a part changes: each is a command of its own. */
function stepsOf(rows: Collections, name: RollupName, fold: number, planned: PlannedRow[]): (() => Promise<void>)[] {
  const collection = rows[name] as unknown as Collection<FoldedRow>
  const added: FoldedRow[] = []
  const replaced: FoldedRow[] = []
  const changed: Change[] = []
  for (const { into, isNew, row, set } of planned) {
    if (into !== name) continue
    if (isNew) added.push(row)
    else if (set) changed.push({ q: { _id: row._id, fold: { $lt: fold } }, u: { $set: set } })
    else replaced.push(row)
  }
  return [
    ...inSteps(added).map((step) => () => insert(collection, step)),
    ...inSteps(replaced).map((step) => () => replace(collection, fold, step)),
    ...inSteps(changed).map((step) => () => change(collection, step)),
  ]
}

interface FoldedRow {
  _id: string
  fold: number
}

interface Change {
  q: { _id: string; fold: { $lt: number } }
  u: { $set: object }
}

async function insert(collection: Collection<FoldedRow>, added: FoldedRow[]): Promise<void> {
  noneRefused(await unwritten(collection.insertMany(added, { ordered: false })))
}

async function replace(collection: Collection<FoldedRow>, fold: number, replaced: FoldedRow[]): Promise<void> {
  const operations = replaced.map((row) => ({
    replaceOne: { filter: { _id: row._id, fold: { $lt: fold } }, replacement: row },
  }))
  noneRefused(await unwritten(collection.bulkWrite(operations, { ordered: false })))
}

/**
 * As a command, since these are most rows of a fold and the driver's bulks take twice as long to put together. A step of
 * them is far below the largest command. The driver does not retry it, but the fold does.
 */
async function change(collection: Collection<FoldedRow>, changed: Change[]): Promise<void> {
  const { w, journal, wtimeoutMS } = collection.writeConcern ?? {}
  const writeConcern = { w, j: journal, ...(wtimeoutMS !== undefined && { wtimeout: wtimeoutMS }) }
  const command = { update: collection.collectionName, updates: changed, ordered: false, writeConcern }
  const { writeErrors } = await collection.db.command(command)
  if (writeErrors) throw new MongoServerError(writeErrors[0])
}

function noneRefused({ refused }: Unwritten): void {
  if (refused.size > 0) throw new Error(`a row was refused: ${[...refused.values()][0]}`)
}

function inSteps<T>(all: T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / STEP_ROWS) }, (_, step) =>
    all.slice(step * STEP_ROWS, (step + 1) * STEP_ROWS),
  )
}
