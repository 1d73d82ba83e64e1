import { addDays, dayName, dayNumber, dayOf, dayStart } from '../../../analysis/zones.ts'
import type { ExactMoney } from '../../figures.ts'
import { type RangeFigures, toOverview } from '../../range-figures.ts'
import type { OverviewRow, TotalsRow } from '../../store.ts'
import type { Database } from '../database.ts'
import { ASIDE_COLUMNS, type AsideRow, asideOf, MONEY_COLUMNS, type MoneyRow, moneyOf } from '../write/money.ts'
import { siteNumber } from './site.ts'

interface DayRow {
  day_no: number
  events: number
  users: number
  sessions: number
  ordering_sessions: number
  orders: number
}

/** Only roll-ups are read: the cost grows with the days of the range and of the history before it. */
export function overview(db: Database, query: { siteId: string; from: string; to: string }): OverviewRow {
  return toOverview(rangeFigures(db, siteNumber(db, query.siteId), dayNumber(query.from), dayNumber(query.to)))
}

/** What the roll-ups say of the days with these numbers. */
export function rangeFigures(db: Database, ...range: [siteNo: number, from: number, to: number]): RangeFigures {
  const moneyByDay = new Map<number, ExactMoney>()
  for (const { day_no, ...row } of db.all<MoneyRow & { day_no: number }>(SELECT_MONEY, ...range)) {
    const sums = moneyOf(row)
    const ofDay = moneyByDay.get(day_no)
    if (ofDay) ofDay.push(sums)
    else moneyByDay.set(day_no, [sums])
  }
  return {
    users: db.get<{ users: number }>(SELECT_USERS, ...range)?.users ?? 0,
    types: db.all<{ type: string; events: number }>(SELECT_TYPES, ...range),
    aside: db.all<AsideRow>(SELECT_ASIDE, ...range).map(asideOf),
    days: db.all<DayRow>(SELECT_DAYS, ...range).map(({ day_no, ordering_sessions, ...day }) => ({
      ...day,
      day: dayName(day_no),
      orderingSessions: ordering_sessions,
      money: moneyByDay.get(day_no) ?? [],
    })),
  }
}

export function hours(
  db: Database,
  query: { siteId: string; from: string; to: string },
): { start: number; events: number }[] {
  const site = db.get<{ site_no: number; time_zone: string }>(
    'SELECT site_no, time_zone FROM sites WHERE id = ?',
    query.siteId,
  )
  if (!site) return []
  return db.all(
    'SELECT start_at AS start, events FROM hours WHERE site_no = ? AND start_at >= ? AND start_at < ? ORDER BY start_at',
    site.site_no,
    dayStart(site.time_zone, query.from),
    dayStart(site.time_zone, addDays(query.to, 1)),
  )
}

export function totals(db: Database, siteId: string): TotalsRow {
  const row = db.get<{
    time_zone: string
    events: number
    users: number
    sessions: number
    first_at: number | null
    last_at: number | null
    last_received_at: number | null
  }>('SELECT * FROM sites WHERE id = ?', siteId)
  const day = (instant: number | null | undefined) =>
    row && instant !== null && instant !== undefined ? dayOf(row.time_zone, instant) : null
  return {
    events: row?.events ?? 0,
    users: row?.users ?? 0,
    sessions: row?.sessions ?? 0,
    firstDay: day(row?.first_at),
    lastDay: day(row?.last_at),
    lastOccurredAt: row?.last_at ?? null,
    lastReceivedAt: row?.last_received_at ?? null,
  }
}

const SELECT_DAYS = `SELECT day_no, events, users, sessions, ordering_sessions, orders
  FROM days WHERE site_no = ? AND day_no BETWEEN ? AND ? ORDER BY day_no`
const SELECT_ASIDE = `SELECT ${ASIDE_COLUMNS} FROM day_aside WHERE site_no = ? AND day_no BETWEEN ? AND ?`
const SELECT_MONEY = `SELECT day_no, ${MONEY_COLUMNS}
  FROM day_money WHERE site_no = ? AND day_no BETWEEN ? AND ?`
const SELECT_TYPES = `SELECT name AS type, sum(events) AS events
  FROM day_types JOIN event_types USING (type_no)
  WHERE site_no = ? AND day_no BETWEEN ? AND ? GROUP BY type_no ORDER BY 2 DESC, 1`
/** Day by day, so that of each day only the pairs from before the range are read. */
const SELECT_USERS = `SELECT coalesce(sum(p.users), 0) AS users
  FROM days d CROSS JOIN day_pairs p ON p.site_no = d.site_no AND p.day_no = d.day_no AND p.previous_day_no < ?2
  WHERE d.site_no = ?1 AND d.day_no BETWEEN ?2 AND ?3`
