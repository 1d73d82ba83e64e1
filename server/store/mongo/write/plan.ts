import { Binary, BSON } from 'mongodb'
import { createTurns } from '../../../turns.ts'
import type { Collections } from '../collections.ts'
import type { BatchRow, HeadRow, PlannedRow } from '../rows.ts'
import type { Known } from './known.ts'
import { stillUnfolded } from './ledger.ts'
import { planSite } from './site-plan.ts'
import { mergeSites, type PackedSite, type Summary, unpackSites } from './summary.ts'
import type { Unfolded } from './unfolded.ts'

/** Rows in one document of a plan, fewer where they come to more than so many bytes; a document may have 16 MB. */
const PART_ROWS = 2000
const PART_BYTES = 8 * 1024 * 1024

/** Works out what the roll-ups come to with the batches of the fold. */
export async function workOut(
  rows: Collections,
  known: Known,
  unfolded: Unfolded,
  head: HeadRow,
): Promise<PlannedRow[]> {
  const summary: Summary = new Map()
  const turns = createTurns()
  for (const sites of await figuresOfBatches(rows, unfolded, head.batches)) {
    mergeSites(summary, sites)
    await turns()
  }
  const planned: PlannedRow[] = []
  known.readFrom(rows)
  known.refresh(head.applied)
  for (const [siteId, site] of summary) {
    const zone = await known.zone(siteId)
    for (const row of await planSite(known, head.applied + 1, { siteId, zone }, site)) planned.push(row)
  }
  return planned
}

/**
 * Most are of this process and need not be read. A batch that an earlier fold has is passed over, should the head name
 * one. These reads are after the head's move, so everybody who works this fold out finds the same batches.
 */
async function figuresOfBatches(
  { ledger }: Collections,
  unfolded: Unfolded,
  batchIds: readonly string[],
): Promise<PackedSite[][]> {
  const left = await stillUnfolded({ ledger }, batchIds)
  const figures: PackedSite[][] = []
  const others: string[] = []
  for (const batchId of left) {
    const own = unfolded.figuresOf(batchId)
    if (own) figures.push(own.sites)
    else others.push(batchId)
  }
  if (others.length > 0) {
    const batches = await ledger.find({ _id: { $in: others } }, { projection: { summary: 1 } }).toArray()
    for (const { summary } of batches as Pick<BatchRow, 'summary'>[])
      if (summary) figures.push(unpackSites(summary.value()))
  }
  return figures
}

/** Keeps a plan under its name. Returns the number of its parts. */
export async function savePlan(
  { plans }: Collections,
  name: string,
  fold: number,
  planned: PlannedRow[],
): Promise<number> {
  let parts = 0
  const save = async (rows: PlannedRow[]): Promise<void> => {
    const packed = packedIfItFits(rows)
    if (!packed) {
      const middle = Math.ceil(rows.length / 2)
      await save(rows.slice(0, middle))
      return save(rows.slice(middle))
    }
    await plans.insertOne({ _id: `${name} ${parts}`, fold, rows: packed })
    parts += 1
  }
  // One without rows has a part too, which says that there was nothing to do.
  for (let from = 0; from === 0 || from < planned.length; from += PART_ROWS)
    await save(planned.slice(from, from + PART_ROWS))
  return parts
}

/** Null for rows that are to be divided. */
function packedIfItFits(rows: PlannedRow[]): Binary | null {
  try {
    const packed = packRows(rows)
    return packed.length() <= PART_BYTES || rows.length <= 1 ? packed : null
  } catch (error) {
    // BSON has room for 17 MB.
    if (error instanceof RangeError && rows.length > 1) return null
    throw error
  }
}

/** Null when it is gone: the fold is over. */
export async function loadPlan({ plans }: Collections, { plan, parts }: HeadRow): Promise<PlannedRow[] | null> {
  const ids = Array.from({ length: parts }, (_, index) => `${plan} ${index}`)
  const found = await plans.find({ _id: { $in: ids } }).toArray()
  return found.length < parts ? null : found.flatMap((part) => unpackRows(part.rows))
}

export async function forgetPlans({ plans }: Collections, upToFold: number): Promise<void> {
  await plans.deleteMany({ fold: { $lte: upToFold } })
}

export function packRows(rows: PlannedRow[]): Binary {
  return new Binary(BSON.serialize({ rows: rows.map(kept) }))
}

function kept(planned: PlannedRow): object {
  if (planned.into === 'gone') return planned
  const { into, row, set } = planned
  return set ? { into, isNew: false, row: { _id: row._id }, set } : planned
}

export function unpackRows(packed: Binary): PlannedRow[] {
  return (BSON.deserialize(packed.value()) as { rows: PlannedRow[] }).rows
}
