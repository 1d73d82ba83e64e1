import { readPurchase } from '../../../../trpc/schema/purchase.ts'
import { monthStart } from '../../../analysis/months.ts'
import { dayNumberOf } from '../../../analysis/zones.ts'
import { MOST_GROSS } from '../../figures.ts'
import { GatheredAside, GatheredMoney } from '../../gathered.ts'
import { type Ordering, type OrderSum, settleOrder } from '../../orders.ts'
import type { Database } from '../database.ts'
import { decodeEventId } from '../event-id.ts'
import { keptFrom } from '../retention.ts'
import { trustOf } from '../write/money.ts'
import { findOrder, type StoredOrder, saveOrder } from '../write/order-rows.ts'

/**
 * Counts every order again from the events, with its money on days, users and sessions and with what is set aside. Of
 * dropped months, whose events are gone, orders stay as they were counted. To be run in a transaction.
 */
export function recountOrders(db: Database, progress: (done: number, of: number) => void): void {
  const zones = new Map(
    db.all<SiteRow>('SELECT site_no, time_zone FROM sites').map((row) => [row.site_no, row.time_zone]),
  )
  const days = new Days()
  const firstMonth = keptFrom(db)
  db.run('DELETE FROM orders WHERE occurred_at >= ?', firstMonth === 0 ? 0 : monthStart(firstMonth))
  countPurchases(db, zones, days, progress)
  for (const table of ['user_money', 'session_money', 'day_money', 'day_aside']) db.exec(`DELETE FROM ${table}`)
  db.exec(SUM_ORDERS)
  for (const row of db.each<OrderedRow>(SELECT_ORDERED)) {
    const { site_no, occurred_at, currency, gross, claimed } = row
    const day = days.of(site_no, dayNumberOf(zones.get(site_no)!, occurred_at))
    day.money.add({ currency, gross, trust: trustOf(claimed) }, 1)
  }
  for (const { site_no, start_at } of db.each<{ site_no: number; start_at: number }>(SELECT_ORDERING))
    days.of(site_no, dayNumberOf(zones.get(site_no)!, start_at)).orderingSessions += 1
  days.save(db)
}

interface SiteRow {
  site_no: number
  time_zone: string
}

interface OrderedRow {
  site_no: number
  occurred_at: number
  currency: string
  gross: number
  claimed: number
}

interface PurchaseRow {
  event_no: number
  site_no: number
  user_no: number
  session_no: number
  occurred_at: number
  seq: number
  event_id: string | Uint8Array
  payload: string | null
  claimed: number
}

const TELL_EVENTS = 10_000

function countPurchases(
  db: Database,
  zones: ReadonlyMap<number, string>,
  days: Days,
  progress: (done: number, of: number) => void,
): void {
  const months = db.all<{ month: number }>('SELECT month FROM months ORDER BY month').map(({ month }) => month)
  const sizes = months.map((month) =>
    db.get<{ last: number | null }>(`SELECT max(event_no) AS last FROM events_${month}`),
  )
  const of = sizes.reduce((sum, size) => sum + (size?.last ?? 0), 0)
  let done = 0
  let told = 0
  progress(0, of)
  for (const [index, month] of months.entries()) {
    for (const row of db.each<PurchaseRow>(selectPurchases(month))) {
      countPurchase(db, zones.get(row.site_no)!, days, row)
      if (done + row.event_no < told + TELL_EVENTS) continue
      told = done + row.event_no
      progress(told, of)
    }
    done += sizes[index]?.last ?? 0
  }
  progress(of, of)
}

function countPurchase(db: Database, zone: string, days: Days, row: PurchaseRow): void {
  const { site_no: siteNo, occurred_at: occurredAt } = row
  const dayNo = dayNumberOf(zone, occurredAt)
  const reading = readPurchase(row.payload === null ? null : (JSON.parse(row.payload) as Record<string, unknown>))
  if ('aside' in reading) {
    const { reason, currency, gross } = reading.aside
    days.of(siteNo, dayNo).aside.add([reason, currency, 1, BigInt(gross)])
    return
  }
  const { orderId, currency, gross } = reading.purchase
  const more: OrderSum<Counting> = {
    first: {
      ...{ trust: trustOf(row.claimed), seq: row.seq, eventId: decodeEventId(row.event_id), dayNo, currency, gross },
      ...{ occurredAt, userNo: row.user_no, sessionNo: row.session_no },
    },
    others: [],
  }
  const stored = findOrder(db, siteNo, orderId)
  const before = stored && {
    first: { ...stored, dayNo: dayNumberOf(zone, stored.occurredAt) },
    others: stored.others,
  }
  const { after, aside } = settleOrder(before, more)
  for (const { dayNo, reason, currency, purchases, gross } of aside)
    days.of(siteNo, dayNo).aside.add([reason, currency, purchases, gross])
  saveOrder(db, siteNo, orderId, { ...after.first, others: after.others })
}

type Counting = Ordering & Omit<StoredOrder, 'others'>

interface Day {
  siteNo: number
  dayNo: number
  money: GatheredMoney
  aside: GatheredAside
  orderingSessions: number
}

class Days {
  readonly #days = new Map<string, Day>()

  of(siteNo: number, dayNo: number): Day {
    const key = `${siteNo} ${dayNo}`
    let day = this.#days.get(key)
    if (!day) {
      day = { siteNo, dayNo, money: new GatheredMoney(), aside: new GatheredAside(), orderingSessions: 0 }
      this.#days.set(key, day)
    }
    return day
  }

  save(db: Database): void {
    db.exec('UPDATE days SET orders = 0, ordering_sessions = 0')
    for (const { siteNo, dayNo, money, aside, orderingSessions } of this.#days.values()) {
      db.run(UPDATE_DAY, money.orders, orderingSessions, siteNo, dayNo)
      for (const sums of money.sums()) db.run(INSERT_MONEY, siteNo, dayNo, ...sums)
      for (const sums of aside.sums()) db.run(INSERT_ASIDE, siteNo, dayNo, ...sums)
    }
  }
}

function selectPurchases(month: number): string {
  return `SELECT e.event_no, u.site_no, e.user_no, e.session_no, e.occurred_at, e.seq, e.event_id, e.payload, e.claimed
    FROM events_${month} e CROSS JOIN users u ON u.user_no = e.user_no
    WHERE e.type_no = (SELECT type_no FROM event_types WHERE name = 'purchase') ORDER BY e.event_no`
}

/** A sum that stops where sums do, without the error of an overflow on the way there. */
function sumOf(value: string): string {
  return `CASE WHEN total(${value}) < 4.611686018427e18 THEN (sum((${value}) >> 20) << 20) + sum((${value}) & 1048575)
    ELSE ${MOST_GROSS} END`
}

const verified = sumOf('gross * (1 - claimed)')
const claimed = sumOf('gross * claimed')
const sums = `currency, count(*), ${verified} + ${claimed}, sum(claimed), ${claimed}`
const SUM_ORDERS = ['user', 'session']
  .map(
    (owner) => `INSERT INTO ${owner}_money SELECT ${owner}_no, ${sums} FROM orders GROUP BY ${owner}_no, currency;
      UPDATE ${owner}s SET orders = 0 WHERE orders <> 0;
      UPDATE ${owner}s SET orders = counted.orders
        FROM (SELECT ${owner}_no AS no, count(*) AS orders FROM orders GROUP BY ${owner}_no) AS counted
        WHERE ${owner}s.${owner}_no = counted.no;`,
  )
  .join('\n')
const SELECT_ORDERED = 'SELECT site_no, occurred_at, currency, gross, claimed FROM orders'
const SELECT_ORDERING = `SELECT u.site_no, s.start_at FROM sessions s JOIN users u ON u.user_no = s.user_no
  WHERE s.orders > 0`
const UPDATE_DAY = 'UPDATE days SET orders = ?, ordering_sessions = ? WHERE site_no = ? AND day_no = ?'
const INSERT_MONEY = `INSERT INTO day_money (site_no, day_no, currency, orders, gross, claimed_orders, claimed_gross)
  VALUES (?, ?, ?, ?, ?, ?, ?)`
const INSERT_ASIDE = `INSERT INTO day_aside (site_no, day_no, reason, currency, purchases, gross) VALUES (?, ?, ?, ?, ?, ?)`
