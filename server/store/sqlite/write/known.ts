import type { Database } from '../database.ts'

export interface UserRow {
  user_no: number
  site_no: number
  user_id: string
  first_at: number
  last_at: number
  events: number
  sessions: number
  orders: number
}

export interface SessionRow {
  session_no: number
  user_no: number
  session_id: string
  start_at: number
  end_at: number
  events: number
  orders: number
}

const MAX_USERS = 40_000
const MAX_SESSIONS = 40_000

const byConnection = new WeakMap<Database, Known>()

/**
 * Rows as this connection wrote them last: the next batch mostly has events of the same visits. Right for as long as
 * no other process has written, which SQLite tells by data_version; forgotten also when a transaction fails.
 */
export class Known {
  readonly #users = new Map<string, UserRow>()
  readonly #sessions = new Map<string, SessionRow>()
  #version = -1

  static of(db: Database): Known {
    let known = byConnection.get(db)
    if (!known) {
      known = new Known()
      byConnection.set(db, known)
    }
    return known
  }

  /** To be called first in a write transaction. */
  refresh(db: Database): void {
    const version = db.get<{ data_version: number }>('PRAGMA data_version')!.data_version
    if (version !== this.#version) this.forget()
    this.#version = version
  }

  forget(): void {
    this.#users.clear()
    this.#sessions.clear()
  }

  user(db: Database, siteNo: number, userId: string): UserRow | undefined {
    return (
      this.#users.get(`${siteNo} ${userId}`) ??
      db.get<UserRow>('SELECT * FROM users WHERE site_no = ? AND user_id = ?', siteNo, userId)
    )
  }

  userByNo(db: Database, userNo: number): UserRow {
    const row = db.get<UserRow>('SELECT * FROM users WHERE user_no = ?', userNo)
    if (!row) throw new Error(`user ${userNo} is missing`)
    return row
  }

  keepUser(row: UserRow): void {
    if (this.#users.size >= MAX_USERS) this.#users.clear()
    this.#users.set(`${row.site_no} ${row.user_id}`, row)
  }

  session(db: Database, userNo: number, sessionId: string): SessionRow | undefined {
    return (
      this.#sessions.get(`${userNo} ${sessionId}`) ??
      db.get<SessionRow>('SELECT * FROM sessions WHERE user_no = ? AND session_id = ?', userNo, sessionId)
    )
  }

  sessionByNo(db: Database, sessionNo: number): SessionRow {
    const row = db.get<SessionRow>('SELECT * FROM sessions WHERE session_no = ?', sessionNo)
    if (!row) throw new Error(`session ${sessionNo} is missing`)
    return row
  }

  keepSession(row: SessionRow): void {
    if (this.#sessions.size >= MAX_SESSIONS) this.#sessions.clear()
    this.#sessions.set(`${row.user_no} ${row.session_id}`, row)
  }
}
