import { dayName, dayNumberOf } from '../analysis/zones.ts'
import { type DayDifference, moneyByName } from './day-figures.ts'
import type { ExactMoney, OrderValue, SessionFigures, UserFigures } from './figures.ts'
import { GatheredMoney } from './gathered.ts'

/** A user's figures and those of all its sessions. */
export interface UserRows {
  /** Null where nothing is known of the user. */
  user: UserFigures | null
  sessions: SessionFigures[]
}

/** Some events of one session, so close together that their days are those of the first and the last. */
export interface SessionEvents {
  events: number
  firstAt: number
  lastAt: number
}

/** Counts one user by the definitions of docs/numbers.md, from the events that are kept. */
export class UserCount {
  readonly #zone: string
  readonly #keptFrom: number
  readonly #sessions = new Map<string, SessionFigures>()
  readonly #money = new Map<string, GatheredMoney>()
  readonly #days = new Set<number>()

  /** Events from before `keptFrom` are dropped; 0 for none. */
  constructor(zone: string, keptFrom: number) {
    this.#zone = zone
    this.#keptFrom = keptFrom
  }

  addEvents(sessionId: string, { events, firstAt, lastAt }: SessionEvents): void {
    for (const at of [firstAt, lastAt]) this.#days.add(dayNumberOf(this.#zone, at))
    const session = this.#sessions.get(sessionId)
    if (!session) {
      this.#sessions.set(sessionId, { sessionId, startAt: firstAt, endAt: lastAt, events, orders: 0, money: [] })
      return
    }
    session.events += events
    session.startAt = Math.min(session.startAt, firstAt)
    session.endAt = Math.max(session.endAt, lastAt)
  }

  /** An order that counts by one of the session's events; with -1 one that does not after all. */
  addOrder(sessionId: string, order: OrderValue, sign: 1 | -1 = 1): void {
    const session = this.#sessions.get(sessionId)
    if (!session) throw new Error(`an order of session ${sessionId} came before its events`)
    session.orders += sign
    let money = this.#money.get(sessionId)
    if (!money) {
      money = new GatheredMoney()
      this.#money.set(sessionId, money)
    }
    money.add(order, sign)
  }

  /** What the rows should say. Of what reaches into dropped months, and of nothing else, they are believed. */
  expected(stored: UserRows): UserRows {
    const before = new Map(stored.sessions.map((session) => [session.sessionId, session]))
    const sessions: SessionFigures[] = []
    for (const sessionId of new Set([...before.keys(), ...this.#sessions.keys()])) {
      const [old, counted] = [before.get(sessionId), this.#counted(sessionId)]
      const session = old && old.startAt < this.#keptFrom ? atLeast(old, counted) : counted
      if (session) sessions.push(session)
    }
    if (sessions.length === 0) return { user: null, sessions }
    const userId = stored.user?.userId ?? ''
    const money = new GatheredMoney()
    for (const session of sessions) money.addSums(session.money)
    const sum = (field: 'events' | 'orders') => sessions.reduce((total, session) => total + session[field], 0)
    return {
      user: {
        userId,
        firstAt: sessions.reduce((first, { startAt }) => Math.min(first, startAt), Number.POSITIVE_INFINITY),
        lastAt: sessions.reduce((last, { endAt }) => Math.max(last, endAt), 0),
        events: sum('events'),
        sessions: sessions.length,
        orders: sum('orders'),
        money: money.sums(),
        days: this.#allDays(stored.user?.days ?? []),
      },
      sessions,
    }
  }

  #counted(sessionId: string): SessionFigures | undefined {
    const session = this.#sessions.get(sessionId)
    const money = this.#money.get(sessionId)
    return session && money ? { ...session, money: money.sums().filter(([, orders]) => orders > 0) } : session
  }

  #allDays(stored: number[]): number[] {
    const days = new Set(this.#days)
    // The day on which the first kept month begins may have lost some of its events.
    const border = this.#keptFrom > 0 ? dayNumberOf(this.#zone, this.#keptFrom - 1) : Number.NEGATIVE_INFINITY
    for (const day of stored) if (day <= border) days.add(day)
    return [...days].sort((a, b) => a - b)
  }
}

/** A session that began before the kept months has at least what is left of it. */
function atLeast(old: SessionFigures, counted: SessionFigures | undefined): SessionFigures {
  if (!counted) return old
  const isEnough = old.orders >= counted.orders
  return {
    ...old,
    endAt: counted.endAt,
    events: Math.max(old.events, counted.events),
    orders: isEnough ? old.orders : counted.orders,
    money: isEnough ? old.money : counted.money,
  }
}

export function userDifferences(stored: UserRows, expected: UserRows): DayDifference[] {
  const [before, after] = [flat(stored), flat(expected)]
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((figure) => ({ figure, stored: before.get(figure) ?? 0, counted: after.get(figure) ?? 0 }))
    .filter(({ stored, counted }) => BigInt(stored) !== BigInt(counted))
    .map(({ figure, stored, counted }) => ({ figure, stored: Number(stored), counted: Number(counted) }))
}

/** Each number by its name. */
function flat({ user, sessions }: UserRows): Map<string, number | bigint> {
  const numbers = new Map<string, number | bigint>()
  const add = (prefix: string, { money, ...figures }: Record<string, unknown> & { money: ExactMoney }) => {
    for (const [name, value] of Object.entries(figures))
      if (typeof value === 'number') numbers.set(`${prefix}${names[name] ?? name}`, value)
    for (const [name, value] of moneyByName(money)) numbers.set(`${prefix}${name}`, value)
  }
  if (user) {
    const { userId: _, days, ...figures } = user
    add('', figures)
    for (const day of days) numbers.set(`active on ${dayName(day)}`, 1)
  }
  for (const { sessionId, ...figures } of sessions) add(`session ${sessionId}: `, figures)
  return numbers
}

const names: Record<string, string> = {
  firstAt: 'first active',
  lastAt: 'last active',
  startAt: 'start',
  endAt: 'end',
}
