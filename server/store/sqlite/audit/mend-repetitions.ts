import { readPurchase } from '../../../../trpc/schema/purchase.ts'
import { monthOf } from '../../../analysis/months.ts'
import { dayNumber, dayNumberOf } from '../../../analysis/zones.ts'
import { DayRepetitions } from '../../day-repetitions.ts'
import { dayWindow } from '../../day-window.ts'
import { compareRanks, type Repetitions } from '../../orders.ts'
import type { DayQuery } from '../../store.ts'
import type { Database } from '../database.ts'
import type { SiteRow } from '../day-rows.ts'
import { decodeEventId } from '../event-id.ts'
import { trustOf } from '../write/money.ts'
import { findOrder, type StoredOrder, saveOthers } from '../write/order-rows.ts'
import { isKept } from './count-day.ts'

/** An order that keeps other repetitions of a day than there are. */
export interface WrongRepetitions {
  orderId: string
  /** The order as it was read, by which a later change of it is seen. */
  seen: Pick<StoredOrder, 'trust' | 'seq' | 'eventId' | 'others'>
  /** What it should keep. */
  others: Repetitions
}

/**
 * Writes what was found beside the writer, which need not wait for the events of three days to be read. Returns how many
 * orders have changed since and so were left alone: they are to be read again.
 */
export function mendRepetitions(
  db: Database,
  { siteId, wrong }: { siteId: string; wrong: readonly WrongRepetitions[] },
): number {
  return db.write(() => {
    const site = db.get<SiteRow>('SELECT site_no, time_zone FROM sites WHERE id = ?', siteId)
    if (!site) return 0
    let changed = 0
    for (const { orderId, seen, others } of wrong) {
      const order = findOrder(db, site.site_no, orderId)
      const isAsSeen =
        order && compareRanks(order, seen) === 0 && JSON.stringify(order.others) === JSON.stringify(seen.others)
      if (isAsSeen) saveOthers(db, site.site_no, orderId, others)
      else changed += 1
    }
    return changed
  })
}

/** The orders with purchases around a day that keep other repetitions of it than there are, of one state of the store. */
export function wrongRepetitions(db: Database, query: DayQuery): WrongRepetitions[] {
  return db.read(() => findWrong(db, query))
}

function findWrong(db: Database, { siteId, day }: DayQuery): WrongRepetitions[] {
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
    if (!others) return []
    const { trust, seq, eventId } = order
    return [{ orderId, seen: { trust, seq, eventId, others: order.others }, others }]
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
