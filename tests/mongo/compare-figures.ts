import { expect } from 'vitest'
import type { Oracle } from '../../server/store/oracle.ts'
import type { OverviewRow, Store } from '../../server/store/store.ts'
import { userSort } from '../../trpc/schema/users.ts'
import { scanned, sortById } from './scanned.ts'

/** Number of users whose sessions are compared; recounting all would take too long. */
const MAX_USERS = 12

/** Compares each stored row of a site's rollups with a recount, which is faster than trying all queries. */
export async function compareFigures(store: Store, oracle: Oracle, siteId: string, note: string): Promise<void> {
  const totals = oracle.totals(siteId)
  expect(await store.totals(siteId), note).toEqual(totals)
  const stored = await scanned(store, siteId)
  expect(stored, note).toEqual(sortById(oracle.events(siteId)))
  if (totals.firstDay === null || totals.lastDay === null) return
  const whole = { siteId, from: totals.firstDay, to: totals.lastDay }
  const { days } = oracle.overview(whole)
  const middle = days[Math.floor(days.length / 2)]?.day ?? totals.firstDay
  for (const range of [whole, { ...whole, from: middle }, { ...whole, to: middle }]) {
    expect(byType(await store.overview(range)), note).toEqual(byType(oracle.overview(range)))
    expect(await store.hours(range), note).toEqual(oracle.hours(range))
  }
  for (const sort of userSort.options) {
    const list = { siteId, sort, order: 'desc', limit: 1000 } as const
    expect(await store.listUsers(list), note).toEqual(oracle.listUsers(list))
  }
  for (const { userId } of oracle.listUsers({ siteId, sort: 'userId', order: 'asc', limit: MAX_USERS }).users) {
    const sessions = { siteId, userId, limit: 1000 }
    expect(await store.sessions(sessions), note).toEqual(oracle.sessions(sessions))
  }
}

function byType(row: OverviewRow): OverviewRow {
  return { ...row, types: [...row.types].sort((a, b) => (a.type < b.type ? -1 : 1)) }
}
