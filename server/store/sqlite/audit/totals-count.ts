import type { Database } from '../database.ts'
import { mark, setMark } from '../marks.ts'

/** What the users of a site come to, or those among them that were counted so far. */
export interface Totals {
  events: number
  users: number
  sessions: number
  firstAt: number | null
  lastAt: number | null
}

interface State extends Totals {
  /** Whose count it is. */
  run: string
  siteNo: number
  /** Users up to this number are counted. */
  through: number
  /** The last batch that is in it: one that came after that is of a program that knows nothing of counts. */
  batch: number
}

/** A user's row, as far as totals have it. */
interface Row {
  user_no: number
  first_at: number
  last_at: number
  events: number
  sessions: number
}

const NAME = 'count of totals'

/**
 * The sum of a site's users, made in steps while events come in: each batch adds to it what it changes of users who are
 * counted already, in its own transaction. So at its end it is exact, and no step takes longer than its users. There is
 * one at most; one that nobody goes on with costs next to nothing until the next begins.
 */
export class TotalsCount {
  readonly #db: Database
  readonly #state: State

  private constructor(db: Database, state: State) {
    this.#db = db
    this.#state = state
  }

  /** The one that goes on; to be asked for within a write transaction. */
  static standing(db: Database): TotalsCount | null {
    const text = mark(db, NAME)
    if (text === null) return null
    const state = JSON.parse(text) as State
    if (state.batch === lastBatch(db)) return new TotalsCount(db, state)
    TotalsCount.end(db)
    return null
  }

  static begin(db: Database, run: string, siteNo: number): TotalsCount {
    const none = { events: 0, users: 0, sessions: 0, firstAt: null, lastAt: null }
    return new TotalsCount(db, { run, siteNo, through: 0, batch: lastBatch(db), ...none })
  }

  /** Rows of users are exchanged: whoever counts begins anew. */
  static end(db: Database): void {
    setMark(db, { name: NAME, value: null })
  }

  isOf(run: string, siteNo: number): boolean {
    return this.#state.run === run && this.#state.siteNo === siteNo
  }

  /** A batch changes a user's row, or makes it. */
  changed(siteNo: number, before: Row | undefined, after: Row): void {
    if (siteNo !== this.#state.siteNo || after.user_no > this.#state.through) return
    this.#add({
      events: after.events - (before?.events ?? 0),
      users: before ? 0 : 1,
      sessions: after.sessions - (before?.sessions ?? 0),
      firstAt: after.first_at,
      lastAt: after.last_at,
    })
  }

  /** Counts the users of the next so many numbers; the sum when those were the last. */
  step(users: number): Totals | null {
    const state = this.#state
    const from = state.through
    state.through += users
    this.#add(this.#db.get<Totals>(SELECT_STEP, from, state.through, state.siteNo)!)
    const { last } = this.#db.get<{ last: number | null }>('SELECT max(user_no) AS last FROM users')!
    if (state.through < (last ?? 0)) return null
    const { events, users: counted, sessions, firstAt, lastAt } = state
    return { events, users: counted, sessions, firstAt, lastAt }
  }

  save(): void {
    this.#state.batch = lastBatch(this.#db)
    setMark(this.#db, { name: NAME, value: JSON.stringify(this.#state) })
  }

  #add(more: Totals): void {
    const state = this.#state
    state.events += more.events
    state.users += more.users
    state.sessions += more.sessions
    state.firstAt = extreme(Math.min, [state.firstAt, more.firstAt])
    state.lastAt = extreme(Math.max, [state.lastAt, more.lastAt])
  }
}

/** Of those that are there. */
export function extreme(of: (...values: number[]) => number, values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : of(...known)
}

function lastBatch(db: Database): number {
  return db.get<{ last: number | null }>('SELECT max(batch_no) AS last FROM batches')?.last ?? 0
}

const SELECT_STEP = `SELECT coalesce(sum(events), 0) AS events, count(*) AS users, coalesce(sum(sessions), 0) AS sessions,
    min(first_at) AS firstAt, max(last_at) AS lastAt
  FROM users NOT INDEXED WHERE user_no > ?1 AND user_no <= ?2 AND site_no = ?3`
