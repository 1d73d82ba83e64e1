import { dayNumberOf, hourStart } from '../../../analysis/zones.ts'
import { compareEvents, type EventPlace } from '../../event-order.ts'
import type { Purchase } from '../../purchase.ts'
import type { Database } from '../database.ts'
import { decodeEventId, encodeEventId } from '../event-id.ts'
import type { Known } from './known.ts'
import type { Numbers } from './numbers.ts'
import { Rollups } from './rollups.ts'
import type { SessionDelta } from './session-delta.ts'
import { UserDelta } from './user-delta.ts'

export interface SiteRow {
  site_no: number
  id: string
  time_zone: string
  events: number
}

interface Candidate {
  place: EventPlace
  purchase: Purchase
  user: UserDelta
  session: SessionDelta
}

interface OrderRow {
  occurred_at: number
  seq: number
  event_id: string | Uint8Array
  user_no: number
  session_no: number
  currency: string
  gross: number
}

/** The events of one batch that belong to one site: first all are added, then load(), then save(). */
export class SiteBatch {
  readonly #db: Database
  readonly #known: Known
  readonly #numbers: Numbers
  readonly #rollups: Rollups
  readonly #users = new Map<string, UserDelta>()
  readonly #usersByNo = new Map<number, UserDelta>()
  readonly #candidates = new Map<string, Candidate>()
  readonly siteNo: number
  readonly zone: string

  constructor(db: Database, known: Known, numbers: Numbers, site: SiteRow) {
    this.#db = db
    this.#known = known
    this.#numbers = numbers
    this.siteNo = site.site_no
    this.zone = site.time_zone
    this.#rollups = new Rollups(db, site.site_no)
  }

  /** Counts a stored event; the session's numbers are known after load(). */
  add(
    userId: string,
    sessionId: string,
    typeNo: number,
    place: EventPlace,
    receivedAt: number,
    purchase: Purchase | undefined,
  ): SessionDelta {
    const { occurredAt } = place
    let user = this.#users.get(userId)
    if (!user) {
      user = new UserDelta(this.siteNo, userId)
      this.#users.set(userId, user)
    }
    const dayNo = dayNumberOf(this.zone, occurredAt)
    const session = user.addEvent(sessionId, dayNo, occurredAt)
    this.#rollups.addEvent(dayNo, hourStart(this.zone, occurredAt), typeNo, occurredAt, receivedAt)
    if (purchase) this.#addCandidate({ place, purchase, user, session })
    return session
  }

  /** Of the purchases of one order in this batch only the first can count. */
  #addCandidate(candidate: Candidate): void {
    const { orderId } = candidate.purchase
    const other = this.#candidates.get(orderId)
    if (!other || compareEvents(candidate.place, other.place) < 0) this.#candidates.set(orderId, candidate)
  }

  load(): void {
    for (const user of this.#users.values()) {
      user.load(this.#db, this.#known, this.#numbers)
      this.#usersByNo.set(user.userNo, user)
    }
  }

  save(): void {
    for (const [orderId, candidate] of this.#candidates) this.#countOrder(orderId, candidate)
    for (const user of this.#usersByNo.values()) user.save(this.#db, this.#known, this.#rollups, this.zone)
    this.#rollups.save()
  }

  /** An order belongs to its first purchase; a late one that is earlier takes it over. */
  #countOrder(orderId: string, { place, purchase, user, session }: Candidate): void {
    const db = this.#db
    const counted = db.get<OrderRow>(SELECT_ORDER, this.siteNo, orderId)
    if (counted) {
      const first = { occurredAt: counted.occurred_at, seq: counted.seq, eventId: decodeEventId(counted.event_id) }
      if (compareEvents(first, place) <= 0) return
      const before = this.#userByNo(counted.user_no)
      this.#addOrder(before, before.sessionByNo(db, this.#known, counted.session_no), first.occurredAt, -1, counted)
    }
    this.#addOrder(user, session, place.occurredAt, 1, purchase)
    const eventId = encodeEventId(place.eventId)
    db.run(
      REPLACE_ORDER,
      this.siteNo,
      orderId,
      place.occurredAt,
      place.seq,
      eventId,
      user.userNo,
      session.sessionNo,
      purchase.currency,
      purchase.gross,
    )
  }

  #addOrder(
    user: UserDelta,
    session: SessionDelta,
    occurredAt: number,
    sign: 1 | -1,
    { currency, gross }: { currency: string; gross: number },
  ): void {
    user.addOrder(currency, sign, gross)
    session.addOrder(currency, sign, gross)
    this.#rollups.day(dayNumberOf(this.zone, occurredAt)).money.add(currency, sign, gross)
  }

  #userByNo(userNo: number): UserDelta {
    let user = this.#usersByNo.get(userNo)
    if (!user) {
      user = UserDelta.of(this.#known.userByNo(this.#db, userNo))
      this.#usersByNo.set(userNo, user)
    }
    return user
  }
}

const SELECT_ORDER = `SELECT occurred_at, seq, event_id, user_no, session_no, currency, gross
  FROM orders WHERE site_no = ? AND order_id = ?`
const REPLACE_ORDER = `INSERT INTO orders
    (site_no, order_id, occurred_at, seq, event_id, user_no, session_no, currency, gross)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET occurred_at = excluded.occurred_at, seq = excluded.seq, event_id = excluded.event_id,
    user_no = excluded.user_no, session_no = excluded.session_no, currency = excluded.currency, gross = excluded.gross`
