import { setTimeout as sleep } from 'node:timers/promises'
import { readPurchase } from '../../../../trpc/schema/purchase.ts'
import { monthOf } from '../../../analysis/months.ts'
import { dayNumberOf } from '../../../analysis/zones.ts'
import { DayRepetitions } from '../../day-repetitions.ts'
import { dayWindow } from '../../day-window.ts'
import { afterFolds } from '../causal.ts'
import type { Collections } from '../collections.ts'
import { rankOf, trustOf } from '../order-rank.ts'
import { idOfRowId, plainRowId, siteBounds } from '../row-id.ts'
import type { PlannedRow } from '../rows.ts'
import { readHead } from '../write/head.ts'
import { type AuditedDay, BY_USER, LONGEST_MS } from './count-day.ts'
import { foldOwn } from './own-fold.ts'
import { batchesEnded } from './settled.ts'

const STEP_ORDERS = 500
const TRIES = 5
const REST_MS = 200

/**
 * Puts right what orders keep of their repetitions on a day. One that changes again and again is left as it is. An order
 * that no fold has changed since before the events were read has just those of them that it was counted by: every batch
 * that was seen is folded by then.
 */
export async function mendRepetitions(
  rows: Collections,
  settle: () => Promise<void>,
  day: AuditedDay,
  batchesTimeoutMs: number,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    await settle()
    const isDone = await afterFolds(rows, async (rows) => {
      const { applied } = await readHead(rows)
      const found = await repetitionsOf(rows, day)
      if (!(await batchesEnded(rows, settle, batchesTimeoutMs, day.signal))) return false
      let isWhole = true
      const ids = found.orderIds
      for (let from = 0; from < ids.length; from += STEP_ORDERS) {
        const step = ids.slice(from, from + STEP_ORDERS)
        isWhole = (await mendOrders(rows, day.siteId, found, step, applied)) && isWhole
      }
      return isWhole
    })
    if (isDone || tries === TRIES) return
    await sleep(REST_MS, undefined, { signal: day.signal })
  }
}

async function mendOrders(
  rows: Collections,
  siteId: string,
  found: DayRepetitions,
  orderIds: string[],
  applied: number,
): Promise<boolean> {
  const wrong = async (rows: Collections) => {
    const stored = await rows.orders.find({ _id: { $in: orderIds.map((id) => plainRowId(siteId, id)) } }).toArray()
    return stored.flatMap((row) => {
      const others = found.othersOf(idOfRowId(row._id), rankOf(row), row.others ?? [])
      return others ? [{ row, others }] : []
    })
  }
  if ((await wrong(rows)).length === 0) return true
  let isWhole = true
  const isFolded = await foldOwn(rows, async (fold, rows) => {
    const planned: PlannedRow[] = []
    for (const { row, others } of await wrong(rows)) {
      if (row.fold > applied) {
        isWhole = false
        continue
      }
      const { others: _, ...order } = row
      planned.push({
        into: 'orders',
        isNew: false,
        row: { ...order, fold, ...(others.length > 0 && { others }) },
      })
    }
    return planned.length === 0 ? null : planned
  })
  return isFolded && isWhole
}

async function repetitionsOf(rows: Collections, { siteId, zone, dayNo, signal }: AuditedDay): Promise<DayRepetitions> {
  const { from } = dayWindow(zone, dayNo - 1)
  const { to } = dayWindow(zone, dayNo + 1)
  const [first, last] = siteBounds(siteId)
  const found = new DayRepetitions(dayNo)
  const ofWindow = { user: { $gte: first, $lt: last }, at: { $gte: from, $lt: to }, type: 'purchase' }
  for (const { _id: month } of await rows.months
    .find({ _id: { $gte: monthOf(from), $lte: monthOf(to - 1) } })
    .toArray())
    for await (const row of rows.events(month).find(ofWindow, { hint: BY_USER, maxTimeMS: LONGEST_MS })) {
      signal?.throwIfAborted()
      const reading = readPurchase(row.payload === null ? null : JSON.parse(row.payload))
      if (!('purchase' in reading)) continue
      const rank = { trust: trustOf(row), seq: row.seq, eventId: idOfRowId(row._id) }
      found.add(rank, dayNumberOf(zone, row.at), reading.purchase)
    }
  return found
}
