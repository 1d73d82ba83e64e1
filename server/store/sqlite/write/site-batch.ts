import { dayNumberOf, hourStart } from '../../../analysis/zones.ts'
import type { EventPlace } from '../../event-order.ts'
import { joinOrders, type Ordering, type OrderRank, type OrderSum, settleOrder } from '../../orders.ts'
import type { Aside, Purchase } from '../../purchase.ts'
import type { TotalsCount } from '../audit/totals-count.ts'
import type { Database } from '../database.ts'
import type { Known } from './known.ts'
import type { Numbers } from './numbers.ts'
import { findOrder, type StoredOrder, saveOrder, saveOthers } from './order-rows.ts'
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

  /** `totals` is a count of totals that goes on. */
  save(totals: TotalsCount | null): void {
    for (const [orderId, order] of this.#orders) this.#countOrder(orderId, order)
    for (const user of this.#usersByNo.values()) user.save(this.#db, this.#known, this.#rollups, this.zone, totals)
    this.#rollups.save()
  }

  /** A purchase that counts rather than the one before takes the order over. */
  #countOrder(orderId: string, more: OrderSum<Candidate>): void {
    const stored = findOrder(this.#db, this.siteNo, orderId)
    const before = stored && { first: this.#candidateOf(stored), others: stored.others }
    const { after, aside } = settleOrder(before, more)
    for (const { dayNo, reason, currency, purchases, gross } of aside)
      this.#rollups.day(dayNo).aside.add([reason, currency, purchases, gross])
    const { first, others } = after
    if (first === before?.first) {
      saveOthers(this.#db, this.siteNo, orderId, others)
      return
    }
    if (before) this.#addOrder(before.first, -1)
    this.#addOrder(first, 1)
    const { user, session } = first.owner()
    const { userNo } = user
    saveOrder(this.#db, this.siteNo, orderId, { ...first, userNo, sessionNo: session.sessionNo, others })
  }

  #candidateOf({ userNo, sessionNo, ...order }: StoredOrder): Candidate {
    return {
      ...order,
      dayNo: dayNumberOf(this.zone, order.occurredAt),
      owner: () => {
        const user = this.#userByNo(userNo)
        return { user, session: user.sessionByNo(this.#db, this.#known, sessionNo) }
      },
    }
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
