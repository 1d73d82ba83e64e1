import { type Collection, MongoServerError } from 'mongodb'
import type { Collections } from '../collections.ts'
import { type PlannedRow, type RollupName, type Rollups, rollupNames } from '../rows.ts'
import { type Unwritten, unwritten } from './bulk.ts'
import { withStanding } from './standing.ts'

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

/** Rows that are new, those that are replaced, those of which a part changes and those that go: each is a command of its own. */
function stepsOf(rows: Collections, name: RollupName, fold: number, planned: PlannedRow[]): (() => Promise<void>)[] {
  const collection = rows[name] as unknown as Collection<FoldedRow>
  const added: FoldedRow[] = []
  const replaced: FoldedRow[] = []
  const changed: Change[] = []
  const gone: string[] = []
  for (const each of planned) {
    if (each.into === 'gone' && each.from === name) gone.push(each.row._id)
    if (each.into !== name) continue
    const { isNew, row, set } = each
    if (isNew) added.push(row)
    else if (set) changed.push({ q: { _id: row._id, fold: { $lt: fold } }, u: { $set: set } })
    else replaced.push(row)
  }
  return [
    ...inSteps(added).map((step) => () => insert(collection, name, fold, step)),
    ...inSteps(replaced).map((step) => () => replace(collection, fold, step)),
    ...inSteps(changed).map((step) => () => change(collection, step)),
    ...inSteps(gone).map((step) => () => remove(collection, fold, step)),
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

async function insert(
  collection: Collection<FoldedRow>,
  name: RollupName,
  fold: number,
  added: FoldedRow[],
): Promise<void> {
  const { duplicates, refused } = await unwritten(collection.insertMany(added, { ordered: false }))
  noneRefused({ refused })
  if (duplicates.length === 0) return
  // Written by an earlier try, all but those that an earlier fold has written.
  const byId = new Map(duplicates.map((index) => [added[index]!._id, added[index]!]))
  for (const stood of await collection.find({ _id: { $in: [...byId.keys()] }, fold: { $lt: fold } }).toArray()) {
    const sum = withStanding(name, stood as Rollups[RollupName], byId.get(stood._id) as Rollups[RollupName])
    await collection.replaceOne({ _id: stood._id, fold: stood.fold }, sum)
  }
}

async function remove(collection: Collection<FoldedRow>, fold: number, ids: string[]): Promise<void> {
  await collection.deleteMany({ _id: { $in: ids }, fold: { $lt: fold } })
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

function noneRefused({ refused }: Pick<Unwritten, 'refused'>): void {
  if (refused.size > 0) throw new Error(`a row was refused: ${[...refused.values()][0]}`)
}

function inSteps<T>(all: T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / STEP_ROWS) }, (_, step) =>
    all.slice(step * STEP_ROWS, (step + 1) * STEP_ROWS),
  )
}
