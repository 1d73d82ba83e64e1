import { Binary } from 'mongodb'
import type { SessionFigures, UserFigures } from '../figures.ts'
import { fromExact, toExact } from './money.ts'
import { fromOrderKey, orderKey } from './order-key.ts'
import { packAscending, unpackAscending } from './packed-numbers.ts'
import { sessionRowId, userRowId } from './row-id.ts'
import type { SessionRow, UserRow } from './rows.ts'

export function userFiguresOf({ user, events, sessions, orders, firstAt, lastAt, days, money }: UserRow): UserFigures {
  const sums = { events, sessions, orders, firstAt, lastAt, money: toExact(money) }
  return { userId: fromOrderKey(user), ...sums, days: unpackAscending(days.value()) }
}

export function userRowOf(site: string, fold: number, { userId, money, days, ...sums }: UserFigures): UserRow {
  const { events, sessions, orders, firstAt, lastAt } = sums
  return {
    ...{ _id: userRowId(site, userId), fold, site, user: orderKey(userId) },
    ...{ events, sessions, orders, firstAt, lastAt },
    ...{ days: new Binary(packAscending(days)), money: fromExact(money) },
  }
}

export function sessionFiguresOf({ session, startAt, endAt, events, orders, money }: SessionRow): SessionFigures {
  return { sessionId: fromOrderKey(session), startAt, endAt, events, orders, money: toExact(money) }
}

/** `user` is the _id of the user's row. */
export function sessionRowOf(user: string, fold: number, figures: SessionFigures): SessionRow {
  const { sessionId, startAt, endAt, events, orders } = figures
  const _id = sessionRowId(user, sessionId)
  return {
    _id,
    fold,
    user,
    session: orderKey(sessionId),
    startAt,
    endAt,
    events,
    orders,
    money: fromExact(figures.money),
  }
}
