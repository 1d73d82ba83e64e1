import type { Database } from '../database.ts'

/** The next free numbers; valid within one write transaction, since nobody else can take one meanwhile. */
export class Numbers {
  #user: number
  #session: number

  constructor(db: Database) {
    this.#user = db.get<{ last: number | null }>('SELECT max(user_no) AS last FROM users')?.last ?? 0
    this.#session = db.get<{ last: number | null }>('SELECT max(session_no) AS last FROM sessions')?.last ?? 0
  }

  nextUser(): number {
    this.#user += 1
    return this.#user
  }

  nextSession(): number {
    this.#session += 1
    return this.#session
  }
}
