import type { Collections } from '../collections.ts'
import { orderRowOf } from '../move/figures.ts'
import { plainRowId, sessionRowId, userOfRowId } from '../row-id.ts'
import type { PlannedRow } from '../rows.ts'
import { sessionRowOf, userRowOf } from '../user-rows.ts'
import type { WrongUser } from './count-users.ts'
import { foldOwn } from './own-fold.ts'

/** Puts what was counted in the place of the rows of users and sessions. False when one of them has changed since. */
export async function mendUsers(rows: Collections, siteId: string, wrong: readonly WrongUser[]): Promise<boolean> {
  return foldOwn(rows, async (fold, rows) => {
    const ids = wrong.map(({ id }) => id)
    const found = await rows.users.find({ _id: { $in: ids } }, { projection: { fold: 1 } }).toArray()
    const folds = new Map(found.map((row) => [row._id, row.fold]))
    if (wrong.some((user) => (folds.get(user.id) ?? null) !== user.fold)) return null
    const planned: PlannedRow[] = []
    for (const user of wrong) planned.push(...(await planOf(rows, siteId, fold, user)))
    return planned
  })
}

async function planOf(
  rows: Collections,
  siteId: string,
  fold: number,
  { id, stored, counted }: WrongUser,
): Promise<PlannedRow[]> {
  const expected = counted.count.expected(stored)
  const planned: PlannedRow[] = []
  const before = new Set(stored.sessions.map(({ sessionId }) => sessionId))
  for (const session of expected.sessions) {
    const row = sessionRowOf(id, fold, session)
    planned.push({ into: 'sessions', isNew: !before.delete(session.sessionId), row })
  }
  // What is left has no events.
  for (const sessionId of before)
    planned.push({ into: 'gone', from: 'sessions', row: { _id: sessionRowId(id, sessionId) } })
  if (expected.user) {
    const row = userRowOf(siteId, fold, { ...expected.user, userId: userOfRowId(id) })
    planned.push({ into: 'users', isNew: stored.user === null, row })
  } else if (stored.user) planned.push({ into: 'gone', from: 'users', row: { _id: id } })
  for (const order of counted.orders) {
    const isThere = await rows.orders.findOne({ _id: plainRowId(siteId, order.orderId) }, { projection: { _id: 1 } })
    planned.push({ into: 'orders', isNew: !isThere, row: orderRowOf(siteId, fold, order) })
  }
  return planned
}
