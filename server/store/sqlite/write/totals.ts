import { dayNumberOf } from '../../../analysis/zones.ts'
import type { Database } from '../database.ts'
import type { Numbers } from './numbers.ts'
import { addSum, NO_DAY, type Rollups } from './rollups.ts'

type Sums = Map<string, { orders: number; gross: number }>

interface UserRow {
  user_no: number
  site_no: number
  user_id: string
  first_at: number
  last_at: number
  events: number
  sessions: number
  orders: number
}

interface SessionRow {
  session_no: number
  session_id: string
  start_at: number
  end_at: number
  events: number
  orders: number
}

/** What a batch adds to one user. */
export class UserTotals {
  readonly #siteNo: number
  readonly #userId: string
  readonly #sessions = new Map<string, SessionTotals>()
  readonly #days = new Set<number>()
  readonly #money: Sums = new Map()
  #stored: UserRow | undefined
  #firstAt = Number.POSITIVE_INFINITY
  #lastAt = Number.NEGATIVE_INFINITY
  #events = 0
  #orders = 0
  userNo = 0

  constructor(siteNo: number, userId: string) {
    this.#siteNo = siteNo
    this.#userId = userId
  }

  /** A stored user that has no event in the batch. */
  static byNo(db: Database, userNo: number): UserTotals {
    const row = db.get<UserRow>('SELECT * FROM users WHERE user_no = ?', userNo)
    if (!row) throw new Error(`user ${userNo} is missing`)
    const user = new UserTotals(row.site_no, row.user_id)
    user.#stored = row
    user.userNo = userNo
    return user
  }

  addEvent(sessionId: string, dayNo: number, occurredAt: number): SessionTotals {
    this.#events += 1
    this.#days.add(dayNo)
    if (occurredAt < this.#firstAt) this.#firstAt = occurredAt
    if (occurredAt > this.#lastAt) this.#lastAt = occurredAt
    let session = this.#sessions.get(sessionId)
    if (!session) {
      session = new SessionTotals(sessionId)
      this.#sessions.set(sessionId, session)
    }
    session.addEvent(occurredAt)
    return session
  }

  addOrder(currency: string, sign: 1 | -1, gross: number): void {
    this.#orders += sign
    addSum(this.#money, currency, sign, gross)
  }

  sessionByNo(db: Database, sessionNo: number): SessionTotals {
    const row = db.get<SessionRow>('SELECT * FROM sessions WHERE session_no = ?', sessionNo)
    if (!row) throw new Error(`session ${sessionNo} is missing`)
    let session = this.#sessions.get(row.session_id)
    if (!session) {
      session = new SessionTotals(row.session_id, row)
      this.#sessions.set(row.session_id, session)
    }
    return session
  }

  /** Finds the numbers and former totals of the user and its sessions; new ones get numbers. */
  load(db: Database, numbers: Numbers): void {
    this.#stored = db.get<UserRow>('SELECT * FROM users WHERE site_no = ? AND user_id = ?', this.#siteNo, this.#userId)
    this.userNo = this.#stored?.user_no ?? numbers.nextUser()
    for (const session of this.#sessions.values())
      session.load(db, numbers, this.#stored ? this.#stored.user_no : null, this.userNo)
  }

  save(db: Database, rollups: Rollups, zone: string): void {
    let newSessions = 0
    for (const session of this.#sessions.values()) if (session.save(db, rollups, zone)) newSessions += 1
    rollups.sessions += newSessions
    this.#saveDays(db, rollups, zone)
    const stored = this.#stored
    if (stored) this.#update(db, stored, newSessions)
    else {
      rollups.users += 1
      const { userNo } = this
      db.run(
        INSERT_USER,
        userNo,
        this.#siteNo,
        this.#userId,
        this.#firstAt,
        this.#lastAt,
        this.#events,
        newSessions,
        this.#orders,
      )
    }
    saveMoney(db, 'user_money', 'user_no', this.userNo, this.#money)
  }

  /** Names only the columns that change: each is a key of an index. */
  #update(db: Database, stored: UserRow, newSessions: number): void {
    const sets: string[] = []
    const values: number[] = []
    const set = (column: string, before: number, after: number) => {
      if (before === after) return
      sets.push(`${column} = ?`)
      values.push(after)
    }
    set('first_at', stored.first_at, Math.min(stored.first_at, this.#firstAt))
    set('last_at', stored.last_at, Math.max(stored.last_at, this.#lastAt))
    set('events', stored.events, stored.events + this.#events)
    set('sessions', stored.sessions, stored.sessions + newSessions)
    set('orders', stored.orders, stored.orders + this.#orders)
    if (sets.length > 0) db.run(`UPDATE users SET ${sets.join(', ')} WHERE user_no = ?`, ...values, this.userNo)
  }

  /** Most events are of the user's newest day, which is known without looking. */
  #saveDays(db: Database, rollups: Rollups, zone: string): void {
    const stored = this.#stored
    let first = stored ? dayNumberOf(zone, stored.first_at) : null
    let last = stored ? dayNumberOf(zone, stored.last_at) : null
    for (const dayNo of this.#days) {
      if (dayNo === first || dayNo === last) continue
      if (db.run('INSERT OR IGNORE INTO user_days (user_no, day_no) VALUES (?, ?)', this.userNo, dayNo) === 0) continue
      if (first === null || last === null) {
        rollups.addUserDay(dayNo, NO_DAY, null)
        first = dayNo
        last = dayNo
      } else if (dayNo > last) {
        rollups.addUserDay(dayNo, last, null)
        last = dayNo
      } else if (dayNo < first) {
        rollups.addUserDay(dayNo, NO_DAY, first)
        first = dayNo
      } else {
        const near = db.get<{ previous: number; next: number }>(SELECT_NEAR_DAYS, this.userNo, dayNo)
        if (!near) throw new Error(`days of user ${this.userNo} are missing`)
        rollups.addUserDay(dayNo, near.previous, near.next)
      }
    }
  }
}

/** What a batch adds to one session. */
export class SessionTotals {
  readonly #sessionId: string
  readonly #money: Sums = new Map()
  #stored: SessionRow | undefined
  #startAt = Number.POSITIVE_INFINITY
  #endAt = Number.NEGATIVE_INFINITY
  #events = 0
  #orders = 0
  sessionNo = 0
  userNo = 0

  constructor(sessionId: string, stored?: SessionRow) {
    this.#sessionId = sessionId
    this.#stored = stored
    if (stored) this.sessionNo = stored.session_no
  }

  addEvent(occurredAt: number): void {
    this.#events += 1
    if (occurredAt < this.#startAt) this.#startAt = occurredAt
    if (occurredAt > this.#endAt) this.#endAt = occurredAt
  }

  addOrder(currency: string, sign: 1 | -1, gross: number): void {
    this.#orders += sign
    addSum(this.#money, currency, sign, gross)
  }

  /** A user that is new has no stored sessions. */
  load(db: Database, numbers: Numbers, storedUserNo: number | null, userNo: number): void {
    this.userNo = userNo
    if (storedUserNo !== null)
      this.#stored = db.get<SessionRow>(
        'SELECT * FROM sessions WHERE user_no = ? AND session_id = ?',
        storedUserNo,
        this.#sessionId,
      )
    this.sessionNo = this.#stored?.session_no ?? numbers.nextSession()
  }

  /** True for a new session. A session counts on the day of its start, which a late event can move. */
  save(db: Database, rollups: Rollups, zone: string): boolean {
    const stored = this.#stored
    const startAt = Math.min(stored?.start_at ?? this.#startAt, this.#startAt)
    const endAt = Math.max(stored?.end_at ?? this.#endAt, this.#endAt)
    const events = (stored?.events ?? 0) + this.#events
    const orders = (stored?.orders ?? 0) + this.#orders
    if (stored) {
      const before = rollups.day(dayNumberOf(zone, stored.start_at))
      before.sessions -= 1
      if (stored.orders > 0) before.orderingSessions -= 1
    }
    const after = rollups.day(dayNumberOf(zone, startAt))
    after.sessions += 1
    if (orders > 0) after.orderingSessions += 1
    if (!stored) db.run(INSERT_SESSION, this.sessionNo, this.userNo, this.#sessionId, startAt, endAt, events, orders)
    else if (startAt === stored.start_at) db.run(UPDATE_SESSION, endAt, events, orders, this.sessionNo)
    else db.run(MOVE_SESSION, startAt, endAt, events, orders, this.sessionNo)
    saveMoney(db, 'session_money', 'session_no', this.sessionNo, this.#money)
    return !stored
  }
}

function saveMoney(db: Database, table: string, column: string, no: number, sums: Sums): void {
  for (const [currency, { orders, gross }] of sums) {
    db.run(
      `INSERT INTO ${table} (${column}, currency, orders, gross) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET orders = orders + excluded.orders, gross = gross + excluded.gross`,
      no,
      currency,
      orders,
      gross,
    )
    if (orders <= 0) db.run(`DELETE FROM ${table} WHERE ${column} = ? AND currency = ? AND orders = 0`, no, currency)
  }
}

const INSERT_USER = `INSERT INTO users (user_no, site_no, user_id, first_at, last_at, events, sessions, orders)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
const INSERT_SESSION = `INSERT INTO sessions (session_no, user_no, session_id, start_at, end_at, events, orders)
  VALUES (?, ?, ?, ?, ?, ?, ?)`
const UPDATE_SESSION = 'UPDATE sessions SET end_at = ?, events = ?, orders = ? WHERE session_no = ?'
const MOVE_SESSION = 'UPDATE sessions SET start_at = ?, end_at = ?, events = ?, orders = ? WHERE session_no = ?'
const SELECT_NEAR_DAYS = `SELECT
  (SELECT max(day_no) FROM user_days WHERE user_no = ?1 AND day_no < ?2) AS previous,
  (SELECT min(day_no) FROM user_days WHERE user_no = ?1 AND day_no > ?2) AS next`
