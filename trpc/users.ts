import { z } from 'zod'
import { AppError } from '../server/errors.ts'
import type { UserRow } from '../server/store/store.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { type Context, router, siteProcedure } from './init.ts'
import { siteParam } from './schema/common.ts'
import type { User, UserSort, UsersList } from './schema/users.ts'
import { userGetInput, userProfile, usersList, usersListInput } from './schema/users.ts'

const listCursor = z.object({
  go: z.enum(['after', 'before']),
  /** What the list is sorted by; left out where that is the user id. */
  value: z.union([z.number(), z.string()]).optional(),
  userId: z.string(),
  /** The page this leads to, counted from 1. */
  page: z.number().int().min(1),
})

/** Of a list that is kept for whoever walks through it: which one, and from which place on, counted from 0. */
const fixedCursor = z.object({ list: z.string().max(64), from: z.number().int().nonnegative() })

export const usersRouter = router({
  list: siteProcedure
    .meta({
      openapi: { method: 'GET', path: '/users', tags: ['Users'], summary: 'Users with their totals, sorted and paged' },
    })
    .input(usersListInput)
    .output(usersList)
    .query(async ({ ctx, input }) => {
      const cursor = input.cursor ? decodeCursor(z.union([listCursor, fixedCursor]), input.cursor) : null
      if (cursor && 'list' in cursor) return fixedPage(ctx, input, cursor)
      return input.state === 'fixed' && !cursor ? firstFixedPage(ctx, input) : movingPage(ctx, input, cursor)
    }),

  /** Gives a fixed list back before it is kept for long enough; after it, cursors of the list answer 409. */
  giveBack: siteProcedure
    .input(z.object({ ...siteParam, cursor: z.string().max(1024) }))
    .mutation(async ({ ctx, input }) => {
      await ctx.fixedLists.giveBack(decodeCursor(fixedCursor, input.cursor).list, readerOf(ctx))
    }),

  get: siteProcedure
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

type ListInput = z.output<typeof usersListInput>

async function movingPage(
  ctx: Context,
  input: ListInput,
  cursor: z.infer<typeof listCursor> | null,
): Promise<UsersList> {
  const { pageSize, sort, order } = input
  if (cursor && (typeof cursor.value === 'number') === (sort === 'userId'))
    throw new AppError('invalid_input', 'cursor belongs to another sort; leave it out to start at the beginning.', {
      field: 'cursor',
    })
  const key = cursor && { value: cursor.value ?? cursor.userId, userId: cursor.userId }
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
    row ? encodeCursor({ go, ...placeOf(sort, row), page: Math.max(1, toPage) }) : null
  return {
    users: users.map(toUser),
    totalCount: total,
    page,
    pageSize,
    totalPages,
    nextCursor: page < totalPages ? place('after', users.at(-1), page + 1) : null,
    previousCursor: page > 1 ? place('before', users[0], page - 1) : null,
    state: 'moving',
    site: ctx.site,
    freshness,
  }
}

async function firstFixedPage(ctx: Context, input: ListInput): Promise<UsersList> {
  const { sort, order, search, page, pageSize } = input
  const freshness = ctx.freshness()
  const list = await ctx.fixedLists.keep(readerOf(ctx), { siteId: ctx.site.id, freshness }, () =>
    ctx.store.fixUsers({ siteId: ctx.site.id, sort, order, prefix: search || undefined }),
  )
  const answer = await fixedPage(ctx, input, { list, from: (page - 1) * pageSize })
  // No cursor leads to it again.
  if (answer.nextCursor === null && answer.previousCursor === null) await ctx.fixedLists.giveBack(list, readerOf(ctx))
  return answer
}

function readerOf({ account, tool }: Context): string {
  return account ? `account ${account.id}` : `token ${tool}`
}

async function fixedPage(
  ctx: Context,
  { pageSize }: ListInput,
  { list, from }: z.infer<typeof fixedCursor>,
): Promise<UsersList> {
  const { users, about } = ctx.fixedLists.find(list, ({ siteId }) => siteId === ctx.site.id)
  const { total } = users
  const rows = await users.rows(from, pageSize)
  if (from + pageSize >= total) ctx.fixedLists.wasRead(list)
  return {
    users: rows.map(toUser),
    totalCount: total,
    page: Math.floor(from / pageSize) + 1,
    pageSize,
    totalPages: Math.ceil(total / pageSize),
    nextCursor: from + pageSize < total ? encodeCursor({ list, from: from + pageSize }) : null,
    previousCursor: from > 0 ? encodeCursor({ list, from: Math.max(0, from - pageSize) }) : null,
    state: 'fixed',
    site: ctx.site,
    freshness: about.freshness,
  }
}

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

function placeOf(sort: UserSort, row: UserRow): Pick<z.infer<typeof listCursor>, 'value' | 'userId'> {
  const values = {
    userId: undefined,
    totalSessions: row.sessions,
    totalEvents: row.events,
    orders: row.orders,
    firstActive: row.firstActive,
    lastActive: row.lastActive,
  }
  return { value: values[sort], userId: row.userId }
}
