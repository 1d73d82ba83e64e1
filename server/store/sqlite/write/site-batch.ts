import { dayNumberOf, hourStart } from '../../../analysis/zones.ts'
import type { EventPlace } from '../../event-order.ts'
import {
  joinOrders,
  type Ordering,
  type OrderRank,
  type OrderSum,
  type Repetitions,
  settleOrder,
} from '../../orders.ts'
import type { Aside, Purchase } from '../../purchase.ts'
import type { Database } from '../database.ts'
import { decodeEventId, encodeEventId } from '../event-id.ts'
import type { Known } from './known.ts'
import { trustOf } from './money.ts'
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

/** A purchase that its order may be counted by. */
interface Candidate extends Ordering {
  occurredAt: number
  owner(): { user: UserDelta; session: SessionDelta }
}

interface OrderRow {
  occurred_at: number
  seq: number
  event_id: string | Uint8Array
  user_no: number
  session_no: number
  currency: string
  gross: number
  claimed: number
  others: string | null
}

/** The events of one batch that belong to one site: first all are added, then load(), then save(). */
export class SiteBatch {
  readonly #db: Database
  readonly #known: Known
  readonly #numbers: Numbers
  readonly #rollups: Rollups
  readonly #users = new Map<string, UserDelta>()
  readonly #usersByNo = new Map<number, UserDelta>()
  readonly #orders = new Map<string, OrderSum<Candidate>>()
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
    place: EventPlace & OrderRank,
    receivedAt: number,
    reading: { purchase: Purchase } | { aside: Aside } | undefined,
  ): SessionDelta {
    const { occurredAt, trust, seq, eventId } = place
    let user = this.#users.get(userId)
    if (!user) {
      user = new UserDelta(this.siteNo, userId)
      this.#users.set(userId, user)
    }
    const dayNo = dayNumberOf(this.zone, occurredAt)
    const session = user.addEvent(sessionId, dayNo, occurredAt)
    this.#rollups.addEvent(dayNo, hourStart(this.zone, occurredAt), typeNo, occurredAt, receivedAt)
    if (!reading) return session
    if ('aside' in reading) {
      const { reason, currency, gross } = reading.aside
      this.#rollups.day(dayNo).aside.add([reason, currency, 1, BigInt(gross)])
    } else {
      const { orderId, currency, gross } = reading.purchase
      const owner = { user, session }
      const first: Candidate = { trust, seq, eventId, occurredAt, dayNo, currency, gross, owner: () => owner }
      this.#orders.set(orderId, joinOrders(this.#orders.get(orderId), { first, others: [] }))
    }
    return session
  }

  load(): void {
    for (const user of this.#users.values()) {
      user.load(this.#db, this.#known, this.#numbers)
      this.#usersByNo.set(user.userNo, user)
    }
  }

  save(): void {
    for (const [orderId, order] of this.#orders) this.#countOrder(orderId, order)
    for (const user of this.#usersByNo.values()) user.save(this.#db, this.#known, this.#rollups, this.zone)
    this.#rollups.save()
  }

  /** A purchase that counts rather than the one before takes the order over. */
  #countOrder(orderId: string, more: OrderSum<Candidate>): void {
    const stored = this.#db.get<OrderRow>(SELECT_ORDER, this.siteNo, orderId)
    const before = stored && this.#storedOrder(stored)
    const { after, aside } = settleOrder(before, more)
    for (const { dayNo, reason, currency, purchases, gross } of aside)
      this.#rollups.day(dayNo).aside.add([reason, currency, purchases, gross])
    const { first } = after
    const others = after.others.length === 0 ? null : JSON.stringify(after.others)
    if (first === before?.first) {
      this.#db.run('UPDATE orders SET others = ? WHERE site_no = ? AND order_id = ?', others, this.siteNo, orderId)
      return
    }
    if (before) this.#addOrder(before.first, -1)
    this.#addOrder(first, 1)
    const { user, session } = first.owner()
    this.#db.run(
      REPLACE_ORDER,
      ...[this.siteNo, orderId, first.occurredAt, first.seq, encodeEventId(first.eventId)],
      ...[user.userNo, session.sessionNo, first.currency, first.gross, first.trust === 'claimed' ? 1 : 0, others],
    )
  }

  #storedOrder(row: OrderRow): OrderSum<Candidate> {
    const { occurred_at: occurredAt, seq, currency, gross } = row
    const owner = () => {
      const user = this.#userByNo(row.user_no)
      return { user, session: user.sessionByNo(this.#db, this.#known, row.session_no) }
    }
    const first: Candidate = {
      ...{ trust: trustOf(row.claimed), seq, eventId: decodeEventId(row.event_id) },
      ...{ occurredAt, dayNo: dayNumberOf(this.zone, occurredAt), currency, gross },
      owner,
    }
    return { first, others: row.others === null ? [] : (JSON.parse(row.others) as Repetitions) }
  }

  #addOrder({ owner, dayNo, currency, gross, trust }: Candidate, sign: 1 | -1): void {
    const { user, session } = owner()
    const order = { currency, gross, trust }
    user.addOrder(order, sign)
    session.addOrder(order, sign)
    this.#rollups.day(dayNo).money.add(order, sign)
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

const SELECT_ORDER = `SELECT occurred_at, seq, event_id, user_no, session_no, currency, gross, claimed, others
  FROM orders WHERE site_no = ? AND order_id = ?`
const REPLACE_ORDER = `INSERT INTO orders
    (site_no, order_id, occurred_at, seq, event_id, user_no, session_no, currency, gross, claimed, others)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET occurred_at = excluded.occurred_at, seq = excluded.seq, event_id = excluded.event_id,
    user_no = excluded.user_no, session_no = excluded.session_no, currency = excluded.currency, gross = excluded.gross,
    claimed = excluded.claimed, others = excluded.others`
