import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Binary } from 'mongodb'
import type { DayFigures } from '../../day-figures.ts'
import type { Collections } from '../collections.ts'
import { exactSum } from '../money.ts'
import { packPairs } from '../pairs.ts'
import type { DayRow, HeadRow, PlannedRow } from '../rows.ts'
import { applyPlan } from '../write/apply.ts'
import { forgetPlans, savePlan } from '../write/plan.ts'

const HEAD_TIMEOUT_MS = 10_000
const WAIT_MS = 10

/**
 * Puts a count in the place of a day's row, as a fold of its own without batches: nobody else changes rows meanwhile,
 * everybody forgets the rows that they remember, and any process finishes it if this one dies. False when the row is
 * not the one of `fold` any more, or the head cannot be had.
 */
export async function mendDay(
  rows: Collections,
  { rowId, fold, counted }: { rowId: string; fold: number | null; counted: DayFigures },
): Promise<boolean> {
  const owner = randomUUID()
  const head = await begin(rows, owner)
  if (!head) return false
  const next = head.applied + 1
  const stored = await rows.days.findOne({ _id: rowId }, { projection: { fold: 1 } })
  const isSame = (stored?.fold ?? null) === fold
  const planned = isSame && !isEmpty(counted) ? [plannedRow(rowId, next, fold === null, counted)] : []
  // A day without anything has no row.
  if (isSame && isEmpty(counted)) await rows.days.deleteOne({ _id: rowId, fold: { $lt: next } })
  const plan = `${next} ${owner}`
  const parts = await savePlan(rows, plan, next, planned)
  if (!(await apply(rows, head, plan, parts))) return false
  await applyPlan(rows, next, planned, async () => {})
  await rows.head.updateOne(
    { _id: 'head', applied: head.applied, phase: 'apply' },
    { $set: { phase: 'idle', applied: next, batches: [], plan: '', parts: 0, owner: '', beat: 0 } },
  )
  await forgetPlans(rows, next)
  return isSame
}

/** Takes the head when it is idle. */
async function begin({ head }: Collections, owner: string): Promise<HeadRow | null> {
  const deadline = performance.now() + HEAD_TIMEOUT_MS
  while (performance.now() < deadline) {
    const taken = await head.findOneAndUpdate(
      { _id: 'head', phase: 'idle' },
      { $set: { phase: 'plan', batches: [], plan: '', parts: 0, owner, beat: 0 } },
      { returnDocument: 'after' },
    )
    if (taken) return taken as HeadRow
    await sleep(WAIT_MS)
  }
  return null
}

/** Makes the change certain, once no question holds it up. Another process may have taken the fold over by then. */
async function apply(
  { head }: Collections,
  { applied, owner }: HeadRow,
  plan: string,
  parts: number,
): Promise<boolean> {
  const deadline = performance.now() + HEAD_TIMEOUT_MS
  while (performance.now() < deadline) {
    const move = { _id: 'head' as const, applied, phase: 'plan' as const, owner, hold: { $in: ['', null] } }
    const { matchedCount } = await head.updateOne(move as object, { $set: { phase: 'apply', plan, parts } })
    if (matchedCount === 1) return true
    const now = await head.findOne({ _id: 'head' })
    if (now?.applied !== applied || now.phase !== 'plan' || now.owner !== owner) return false
    await sleep(WAIT_MS)
  }
  await head.updateOne({ _id: 'head', applied, phase: 'plan', owner }, { $set: { phase: 'idle', owner: '' } })
  return false
}

function isEmpty({ events, sessions }: DayFigures): boolean {
  return events === 0 && sessions === 0
}

function plannedRow(rowId: string, fold: number, isNew: boolean, counted: DayFigures): PlannedRow {
  const row: DayRow = {
    ...{ _id: rowId, fold, ...counted },
    money: counted.money.map(([currency, orders, gross]) => [currency, orders, exactSum(gross)]),
    pairs: new Binary(packPairs(new Map(counted.pairs))),
  }
  return { into: 'days', isNew, row }
}
