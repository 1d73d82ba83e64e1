import { dayNumberOf } from '../../analysis/zones.ts'
import { dayWindow } from '../day-window.ts'
import type { DayFigures } from '../figures.ts'
import type { Database } from './database.ts'
import { ASIDE_COLUMNS, type AsideRow, allMoney, asideOf, MONEY_COLUMNS } from './write/money.ts'

export interface SiteRow {
  site_no: number
  time_zone: string
}

interface DayRow {
  events: number
  users: number
  sessions: number
  ordering_sessions: number
  orders: number
}

/** What the roll-ups say of a day. */
export function storedDay(db: Database, { site_no, time_zone }: SiteRow, dayNo: number): DayFigures {
  const row = db.get<DayRow>('SELECT * FROM days WHERE site_no = ? AND day_no = ?', site_no, dayNo)
  const all = <Row>(sql: string) => db.all<Row>(sql, site_no, dayNo)
  return {
    events: row?.events ?? 0,
    users: row?.users ?? 0,
    sessions: row?.sessions ?? 0,
    orderingSessions: row?.ordering_sessions ?? 0,
    orders: row?.orders ?? 0,
    types: all<{ name: string; events: number }>(SELECT_TYPES).map(({ name, events }) => [name, events]),
    money: allMoney(db, SELECT_MONEY, site_no, dayNo),
    aside: all<AsideRow>(SELECT_ASIDE).map(asideOf),
    pairs: all<{ day: number; users: number }>(SELECT_PAIRS).map(({ day, users }) => [day, users]),
    hours: hoursOf(db, { site_no, time_zone }, dayNo),
  }
}

function hoursOf(db: Database, { site_no, time_zone }: SiteRow, dayNo: number): DayFigures['hours'] {
  const { from, to } = dayWindow(time_zone, dayNo)
  return db
    .all<{ start_at: number; events: number }>(SELECT_HOURS, site_no, from, to)
    .filter((row) => dayNumberOf(time_zone, row.start_at) === dayNo)
    .map((row) => [row.start_at, row.events])
}

/** Puts figures in the place of those that the roll-ups have of the day. */
export function saveDay(db: Database, site: SiteRow, dayNo: number, day: DayFigures): void {
  const { site_no } = site
  for (const [start] of hoursOf(db, site, dayNo))
    db.run('DELETE FROM hours WHERE site_no = ? AND start_at = ?', site_no, start)
  for (const table of ['days', 'day_types', 'day_money', 'day_aside', 'day_pairs'])
    db.run(`DELETE FROM ${table} WHERE site_no = ? AND day_no = ?`, site_no, dayNo)
  const { events, users, sessions, orderingSessions, orders } = day
  if (events + sessions > 0) db.run(INSERT_DAY, site_no, dayNo, events, users, sessions, orderingSessions, orders)
  for (const [type, ofType] of day.types) {
    db.run('INSERT OR IGNORE INTO event_types (name) VALUES (?)', type)
    db.run(INSERT_TYPE, site_no, dayNo, ofType, type)
  }
  for (const sums of day.money) db.run(INSERT_MONEY, site_no, dayNo, ...sums)
  for (const sums of day.aside) db.run(INSERT_ASIDE, site_no, dayNo, ...sums)
  for (const [previous, ofPair] of day.pairs) db.run(INSERT_PAIR, site_no, dayNo, previous, ofPair)
  for (const [start, ofHour] of day.hours) db.run(INSERT_HOUR, site_no, start, ofHour)
}

const SELECT_TYPES = `SELECT t.name, d.events FROM day_types d JOIN event_types t ON t.type_no = d.type_no
  WHERE d.site_no = ? AND d.day_no = ?`
const SELECT_MONEY = `SELECT ${MONEY_COLUMNS} FROM day_money WHERE site_no = ? AND day_no = ?`
const SELECT_PAIRS = 'SELECT previous_day_no AS day, users FROM day_pairs WHERE site_no = ? AND day_no = ?'
const SELECT_HOURS = 'SELECT start_at, events FROM hours WHERE site_no = ? AND start_at >= ? AND start_at < ?'
const INSERT_DAY = `INSERT INTO days (site_no, day_no, events, users, sessions, ordering_sessions, orders)
  VALUES (?, ?, ?, ?, ?, ?, ?)`
const INSERT_TYPE = `INSERT INTO day_types (site_no, day_no, type_no, events)
  SELECT ?, ?, type_no, ? FROM event_types WHERE name = ?`
const INSERT_MONEY = `INSERT INTO day_money (site_no, day_no, currency, orders, gross, claimed_orders, claimed_gross)
  VALUES (?, ?, ?, ?, ?, ?, ?)`
const SELECT_ASIDE = `SELECT ${ASIDE_COLUMNS} FROM day_aside WHERE site_no = ? AND day_no = ?`
const INSERT_ASIDE = `INSERT INTO day_aside (site_no, day_no, reason, currency, purchases, gross)
  VALUES (?, ?, ?, ?, ?, ?)`
const INSERT_PAIR = 'INSERT INTO day_pairs (site_no, day_no, previous_day_no, users) VALUES (?, ?, ?, ?)'
const INSERT_HOUR = 'INSERT INTO hours (site_no, start_at, events) VALUES (?, ?, ?)'
