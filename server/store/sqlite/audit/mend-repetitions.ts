import { readPurchase } from '../../../../trpc/schema/purchase.ts'
import { monthOf } from '../../../analysis/months.ts'
import { dayNumber, dayNumberOf } from '../../../analysis/zones.ts'
import { DayRepetitions } from '../../day-repetitions.ts'
import { dayWindow } from '../../day-window.ts'
import type { Repetitions } from '../../orders.ts'
import type { DayQuery } from '../../store.ts'
import type { Database } from '../database.ts'
import type { SiteRow } from '../day-rows.ts'
import { decodeEventId } from '../event-id.ts'
import { trustOf } from '../write/money.ts'
import { findOrder, saveOthers } from '../write/order-rows.ts'
import { isKept } from './count-day.ts'

/** Whether an order keeps other repetitions of the day than there are. */
export function hasWrongRepetitions(db: Database, query: DayQuery): boolean {
  return db.read(() => wrongRepetitions(db, query).length > 0)
}

export function mendRepetitions(db: Database, query: DayQuery): void {
  db.write(() => {
    for (const { siteNo, orderId, others } of wrongRepetitions(db, query)) saveOthers(db, siteNo, orderId, others)
  })
}

function wrongRepetitions(
  db: Database,
  { siteId, day }: DayQuery,
): { siteNo: number; orderId: string; others: Repetitions }[] {
  const dayNo = dayNumber(day)
  const site = db.get<SiteRow>('SELECT site_no, time_zone FROM sites WHERE id = ?', siteId)
  if (!site || !isKept(db, site, dayNo)) return []
  const { site_no: siteNo, time_zone: zone } = site
  const { from } = dayWindow(zone, dayNo - 1)
  const { to } = dayWindow(zone, dayNo + 1)
  const found = new DayRepetitions(dayNo)
  for (const { month } of db.all<{ month: number }>(SELECT_MONTHS, monthOf(from), monthOf(to - 1)))
    for (const row of db.each<PurchaseRow>(selectPurchases(month), from, to, siteNo)) {
      const reading = readPurchase(JSON.parse(row.payload))
      if (!('purchase' in reading)) continue
      const rank = { trust: trustOf(row.claimed), seq: row.seq, eventId: decodeEventId(row.event_id) }
      found.add(rank, dayNumberOf(zone, row.occurred_at), reading.purchase)
    }
  return found.orderIds.flatMap((orderId) => {
    const order = findOrder(db, siteNo, orderId)
    const others = order && found.othersOf(orderId, order, order.others)
    return others ? [{ siteNo, orderId, others }] : []
  })
}

interface PurchaseRow {
  occurred_at: number
  seq: number
  event_id: string | Uint8Array
  claimed: number
  payload: string
}

const SELECT_MONTHS = 'SELECT month FROM months WHERE month >= ? AND month <= ? ORDER BY month'

function selectPurchases(month: number): string {
  return `SELECT e.occurred_at, e.seq, e.event_id, e.claimed, e.payload
    FROM events_${month} e INDEXED BY events_${month}_by_time CROSS JOIN users u ON u.user_no = e.user_no
    WHERE e.occurred_at >= ? AND e.occurred_at < ? AND u.site_no = ? AND e.payload IS NOT NULL
      AND e.type_no = (SELECT type_no FROM event_types WHERE name = 'purchase')`
}
