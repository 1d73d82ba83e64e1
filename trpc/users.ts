import { z } from 'zod'
import { AppError } from '../server/errors.ts'
import type { UserKey, UserRow } from '../server/store/store.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { procedure, router } from './init.ts'
import type { User, UserSort } from './schema/users.ts'
import { userGetInput, userProfile, usersList, usersListInput } from './schema/users.ts'

const listCursor = z.object({
  go: z.enum(['after', 'before']),
  value: z.union([z.number(), z.string()]),
  userId: z.string(),
  /** The page this leads to, counted from 1. */
  page: z.number().int().min(1),
})

export const usersRouter = router({
  list: procedure
    .meta({
      openapi: { method: 'GET', path: '/users', tags: ['Users'], summary: 'Users with their totals, sorted and paged' },
    })
    .input(usersListInput)
    .output(usersList)
    .query(async ({ ctx, input }) => {
      const { pageSize, sort, order } = input
      const cursor = input.cursor ? decodeCursor(listCursor, input.cursor) : null
      if (cursor && (typeof cursor.value === 'string') !== (sort === 'userId'))
        throw new AppError('invalid_input', 'cursor belongs to another sort; leave it out to start at the beginning.', {
          field: 'cursor',
        })
      const key = cursor && { value: cursor.value, userId: cursor.userId }
      const freshness = ctx.freshness()
      const { users, total } = await ctx.store.listUsers({
        siteId: ctx.site.id,
        sort,
        order,
        prefix: input.search || undefined,
        limit: pageSize,
        ...(cursor && key ? { [cursor.go]: key } : { offset: (input.page - 1) * pageSize }),
      })
      const totalPages = Math.ceil(total / pageSize)
      const page = Math.min(cursor?.page ?? input.page, Math.max(totalPages, cursor ? 1 : input.page))
      const place = (go: 'after' | 'before', row: UserRow | undefined, toPage: number) =>
        row ? encodeCursor({ go, ...keyOf(sort, row), page: Math.max(1, toPage) }) : null
      return {
        users: users.map(toUser),
        totalCount: total,
        page,
        pageSize,
        totalPages,
        nextCursor: page < totalPages ? place('after', users.at(-1), page + 1) : null,
        previousCursor: page > 1 ? place('before', users[0], page - 1) : null,
        site: ctx.site,
        freshness,
      }
    }),

  get: procedure
    .meta({ openapi: { method: 'GET', path: '/users/{userId}', tags: ['Users'], summary: 'One user with totals' } })
    .input(userGetInput)
    .output(userProfile)
    .query(async ({ ctx, input }) => {
      const freshness = ctx.freshness()
      const row = await ctx.store.user({ siteId: ctx.site.id, userId: input.userId })
      if (!row) throw new AppError('not_found', 'No user with this ID has sent an event.', { field: 'userId' })
      return { ...toUser(row), site: ctx.site, freshness }
    }),
})

function toUser(row: UserRow): User {
  return {
    userId: row.userId,
    totalEvents: row.events,
    totalSessions: row.sessions,
    orders: row.orders,
    money: row.money,
    firstActive: new Date(row.firstActive).toISOString(),
    lastActive: new Date(row.lastActive).toISOString(),
  }
}

function keyOf(sort: UserSort, row: UserRow): UserKey {
  const values = {
    userId: row.userId,
    totalSessions: row.sessions,
    totalEvents: row.events,
    orders: row.orders,
    firstActive: row.firstActive,
    lastActive: row.lastActive,
  }
  return { value: values[sort], userId: row.userId }
}
