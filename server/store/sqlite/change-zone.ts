import { dayNumberOf } from '../../analysis/zones.ts'
import { recountUsers } from './audit/audit-users.ts'
import { countDay } from './audit/count-day.ts'
import type { Database } from './database.ts'
import { type SiteRow, saveDay } from './day-rows.ts'
import { recountOrders } from './recount/orders.ts'
import { keptFrom } from './retention.ts'

/** Whether all that a site's days are made of is there, and is little enough to be counted while batches wait. */
export function canRecount(db: Database, events: number, most: number): boolean {
  return events <= most && keptFrom(db) === 0
}

/** Counts every day of a site again, in the zone that its row has by now; within a transaction. */
export function recountDays(db: Database, site: SiteRow): void {
  recountUsers(db, site)
  // The repetitions of an order are kept by their days.
  recountOrders(db, () => {})
  for (const table of ['days', 'day_types', 'day_money', 'day_aside', 'day_pairs', 'hours'])
    db.run(`DELETE FROM ${table} WHERE site_no = ?`, site.site_no)
  const days = new Set<number>()
  for (const { month } of db.all<{ month: number }>('SELECT month FROM months'))
    for (const { at } of db.each<{ at: number }>(selectTimes(month), site.site_no))
      days.add(dayNumberOf(site.time_zone, at))
  for (const dayNo of [...days].sort((a, b) => a - b)) saveDay(db, site, dayNo, countDay(db, site, dayNo))
}

function selectTimes(month: number): string {
  return `SELECT e.occurred_at AS at FROM events_${month} e JOIN users u ON u.user_no = e.user_no WHERE u.site_no = ?`
}
