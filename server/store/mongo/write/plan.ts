import { BSON } from 'mongodb'
import type { Collections } from '../collections.ts'
import type { BatchRow, HeadRow, PlannedRow } from '../rows.ts'
import type { Known } from './known.ts'
import { planSite } from './site-plan.ts'
import { mergeSummary, type Summary } from './summary.ts'

/** Of rows in one document of a plan; a document may have 16 MB. */
const PART_BYTES = 4 * 1024 * 1024

/** Works out what the roll-ups come to with the batches of the fold. Null when the fold is further than the head says. */
export async function workOut(rows: Collections, known: Known, head: HeadRow): Promise<PlannedRow[] | null> {
  const batches = await rows.ledger.find({ _id: { $in: head.batches } }, { projection: { summary: 1 } }).toArray()
  const summaries = batches.flatMap((batch: Pick<BatchRow, 'summary'>) => batch.summary ?? [])
  if (summaries.length < head.batches.length) return null
  const summary: Summary = new Map()
  for (const packed of summaries) mergeSummary(summary, packed.value())
  const planned: PlannedRow[] = []
  known.refresh(head.applied)
  for (const [siteId, site] of summary) {
    const zone = await known.zone(siteId)
    planned.push(...(await planSite(known, head.applied + 1, { siteId, zone }, site)))
  }
  return planned
}

/** Keeps a plan under its name. Returns the number of its parts. */
export async function savePlan(
  { plans }: Collections,
  name: string,
  fold: number,
  planned: PlannedRow[],
): Promise<number> {
  const parts: PlannedRow[][] = [[]]
  let bytes = 0
  for (const row of planned) {
    bytes += BSON.calculateObjectSize(row.row)
    if (bytes > PART_BYTES) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)!.push(row)
  }
  for (const [index, part] of parts.entries()) await plans.insertOne({ _id: `${name} ${index}`, fold, rows: part })
  return parts.length
}

/** Null when it is gone: the fold is over. */
export async function loadPlan({ plans }: Collections, { plan, parts }: HeadRow): Promise<PlannedRow[] | null> {
  const ids = Array.from({ length: parts }, (_, index) => `${plan} ${index}`)
  const found = await plans.find({ _id: { $in: ids } }).toArray()
  return found.length < parts ? null : found.flatMap((part) => part.rows)
}

export async function forgetPlans({ plans }: Collections, upToFold: number): Promise<void> {
  await plans.deleteMany({ fold: { $lte: upToFold } })
}
