import { beforeAll, describe, expect, it } from 'vitest'
import { userSort } from '../../../trpc/schema/users.ts'
import { userKey as keyOf } from '../fixed-users.ts'
import { HOUR_MS, NOON, sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../sample-events.ts'
import type { Store, UserListQuery } from '../store.ts'

const sorts = userSort.options
const orders = ['asc', 'desc'] as const
const cases = sorts.flatMap((sort) => orders.map((order) => [sort, order] as const))

export function describeUserLists(store: () => Store): void {
  describe('user lists', () => {
    const site = sampleSite()
    const siteId = site.id
    // Few values of each figure, so that most rows are ties; ids that UTF-16 sorts another way than UTF-8.
    const userIds = Array.from({ length: 60 }, (_, n) => `${['a', 'ab', 'é', 'ﬀ', '😀', '100%_'][n % 6]}${n % 10}-${n}`)

    beforeAll(async () => {
      await store().saveSite(site)
      const events = userIds.flatMap((userId, n) => [
        ...Array.from({ length: 1 + (n % 3) }, (_, session) =>
          sampleEvent({ siteId, userId, sessionId: `s${session}`, occurredAt: NOON - (n % 4) * HOUR_MS }),
        ),
        ...(n % 5 === 0 ? [samplePurchase({ siteId, userId }, { orderId: `order-${n}` })] : []),
      ])
      await store().insertBatch(sampleBatch(...events))
    })

    const list = (query: Partial<UserListQuery> & Pick<UserListQuery, 'sort' | 'order'>) =>
      store().listUsers({ siteId, limit: 1000, ...query })
    it.each(cases)(
      'fixes a list by %s %s: each user once, in order, whatever comes in while it is read',
      async (sort, order) => {
        const { users } = await list({ sort, order })
        const fixed = await store().fixUsers({ siteId, sort, order })
        const moving = userIds.filter((_, n) => n % 7 === 3)
        const later = moving.map((userId) =>
          sampleEvent({ siteId, userId, sessionId: 's0', occurredAt: NOON - HOUR_MS }),
        )
        await store().insertBatch(sampleBatch(...later))
        expect(fixed.total).toBe(60)
        expect([...(await fixed.rows(0, 25)), ...(await fixed.rows(25, 1000))]).toEqual(users)
        expect(await fixed.rows(59, 5)).toEqual(users.slice(59))
        expect(await fixed.rows(60, 5)).toEqual([])
        await fixed.close()
      },
    )

    it('fixes those of a prefix, and none', async () => {
      const { users } = await list({ sort: 'totalEvents', order: 'asc', prefix: 'ab' })
      const fixed = await store().fixUsers({ siteId, sort: 'totalEvents', order: 'asc', prefix: 'ab' })
      expect(await fixed.rows(0, 1000)).toEqual(users)
      await fixed.close()
      const none = await store().fixUsers({ siteId, sort: 'userId', order: 'asc', prefix: 'nobody' })
      expect([none.total, await none.rows(0, 10)]).toEqual([0, []])
      await none.close()
    })

    it.each(cases)('sorts by %s %s, ties by the bytes of the user id', async (sort, order) => {
      const { users, total } = await list({ sort, order })
      expect(total).toBe(60)
      const sign = order === 'asc' ? 1 : -1
      const expected = [...users].sort((a, b) => {
        const [x, y] = [keyOf(sort, a), keyOf(sort, b)]
        const ids = Buffer.compare(Buffer.from(x.userId), Buffer.from(y.userId))
        return sign * (sort === 'userId' ? ids : Number(x.value) - Number(y.value) || ids)
      })
      expect(users.map((row) => row.userId)).toEqual(expected.map((row) => row.userId))
      expect(new Set(users.map((row) => row.userId))).toEqual(new Set(userIds))
    })

    it.each(cases)('pages by key forwards and back by %s %s, each row once', async (sort, order) => {
      const whole = (await list({ sort, order })).users.map((row) => row.userId)
      const forwards: string[] = []
      let page = await list({ sort, order, limit: 7 })
      while (page.users.length > 0) {
        forwards.push(...page.users.map((row) => row.userId))
        page = await list({ sort, order, limit: 7, after: keyOf(sort, page.users.at(-1)!) })
        expect(page.total).toBe(60)
      }
      expect(forwards).toEqual(whole)
      const last = (await list({ sort, order, limit: 1, offset: 59 })).users
      const back: string[] = last.map((row) => row.userId)
      let before = await list({ sort, order, limit: 7, before: keyOf(sort, last[0]!) })
      while (before.users.length > 0) {
        back.unshift(...before.users.map((row) => row.userId))
        before = await list({ sort, order, limit: 7, before: keyOf(sort, before.users[0]!) })
      }
      expect(back).toEqual(whole)
    })

    it.each(cases)('gives any page by its offset by %s %s', async (sort, order) => {
      const whole = (await list({ sort, order })).users
      for (const offset of [0, 7, 29, 30, 31, 55, 59])
        expect((await list({ sort, order, limit: 7, offset })).users, `offset ${offset}`).toEqual(
          whole.slice(offset, offset + 7),
        )
      expect(await list({ sort, order, limit: 7, offset: 60 })).toEqual({ users: [], total: 60 })
      expect(await list({ sort, order, limit: 7, offset: 1_000_000 })).toEqual({ users: [], total: 60 })
    })

    it.each(cases)('finds users by the beginning of their id by %s %s', async (sort, order) => {
      const whole = (await list({ sort, order })).users
      for (const prefix of ['a', 'ab', 'ab1', '😀', 'ﬀ', '100%', 'A', 'zzz']) {
        const matches = whole.filter((row) => row.userId.startsWith(prefix))
        expect(await list({ sort, order, prefix }), prefix).toEqual({ users: matches, total: matches.length })
        const offset = Math.floor(matches.length * 0.7)
        const page = await list({ sort, order, prefix, limit: 3, offset })
        expect(page).toEqual({ users: matches.slice(offset, offset + 3), total: matches.length })
        const middle = matches[Math.floor(matches.length / 2)]
        if (!middle) continue
        const after = await list({ sort, order, prefix, limit: 3, after: keyOf(sort, middle) })
        expect(after.users).toEqual(matches.slice(matches.indexOf(middle) + 1).slice(0, 3))
      }
    })

    it('finds a prefix of the last code point there is', async () => {
      const other = await store().saveSite(sampleSite())
      const userId = '\u{10ffff}\u{10ffff}x'
      await store().insertBatch(
        sampleBatch(sampleEvent({ siteId: other.id, userId }), sampleEvent({ siteId: other.id })),
      )
      for (const prefix of ['\u{10ffff}', '\u{10ffff}\u{10ffff}'])
        expect(await list({ siteId: other.id, sort: 'orders', order: 'asc', prefix })).toMatchObject({
          users: [{ userId }],
          total: 1,
        })
    })

    it('keeps its place when rows before it change', async () => {
      const { id } = await store().saveSite(sampleSite())
      const visit = (userId: string, minute: number) =>
        store().insertBatch(sampleBatch(sampleEvent({ siteId: id, userId, occurredAt: NOON + minute * 60_000 })))
      for (const [minute, userId] of ['d', 'c', 'b', 'a'].entries()) await visit(userId, minute)
      const query = { siteId: id, sort: 'lastActive', order: 'desc', limit: 2 } as const
      const first = await store().listUsers(query)
      expect(first.users.map((row) => row.userId)).toEqual(['a', 'b'])
      await visit('e', 60)
      const second = await store().listUsers({ ...query, after: keyOf('lastActive', first.users[1]!) })
      expect(second.users.map((row) => row.userId)).toEqual(['c', 'd'])
    })

    it('gives one user with its figures, null for nobody', async () => {
      const { id } = await store().saveSite(sampleSite())
      await store().insertBatch(
        sampleBatch(
          sampleEvent({ siteId: id, sessionId: 'a' }),
          sampleEvent({ siteId: id, sessionId: 'b', occurredAt: NOON - HOUR_MS }),
          samplePurchase({ siteId: id, sessionId: 'a', occurredAt: NOON + HOUR_MS }),
        ),
      )
      expect(await store().user({ siteId: id, userId: 'lena' })).toEqual({
        userId: 'lena',
        events: 3,
        sessions: 2,
        orders: 1,
        money: [
          {
            ...{ currency: 'EUR', decimals: 2, orders: 1, gross: 2000 },
            ...{ verified: { orders: 1, gross: 2000 }, claimed: { orders: 0, gross: 0 } },
          },
        ],
        firstActive: NOON - HOUR_MS,
        lastActive: NOON + HOUR_MS,
      })
      expect(await store().user({ siteId: id, userId: 'LENA' })).toBeNull()
    })
  })
}
