import { z } from 'zod'
import { cursorInput, freshness, idInput, money, site, siteParam, sortOrder } from './common.ts'

export const userSort = z.enum(['userId', 'totalSessions', 'totalEvents', 'orders', 'firstActive', 'lastActive'])
export type UserSort = z.infer<typeof userSort>

const count = z.number().int().nonnegative()

/**
 * moving: the pages of a list are those of the moment in which each is asked for; users whose place changes meanwhile may
 * be missed or come twice. fixed: every user once, none missing, as they were when the first page was asked for.
 */
const listState = z.enum(['moving', 'fixed'])

/**
 * page counts from 1. cursor (from nextCursor or previousCursor of an answer) wins over page and costs the same on any
 * page; one of a fixed list wins over everything but pageSize, and is good for ten minutes after the page before.
 */
export const usersListInput = z.object({
  ...siteParam,
  page: z.coerce.number().int().min(1).default(1),
  pageSize: z.coerce.number().int().min(1).max(100).default(10),
  sort: userSort.default('lastActive'),
  order: sortOrder.default('desc'),
  /** The beginning of a user id; upper and lower case count. */
  search: z.string().max(256).trim().optional(),
  cursor: cursorInput,
  state: listState.default('moving'),
})
export type UsersListInput = z.input<typeof usersListInput>

/** One user over the whole history. Times are ISO 8601 in UTC. */
export const user = z.object({
  userId: z.string(),
  totalEvents: count,
  totalSessions: count,
  orders: count,
  money: z.array(money),
  firstActive: z.iso.datetime(),
  lastActive: z.iso.datetime(),
})
export type User = z.infer<typeof user>

export const usersList = z.object({
  users: z.array(user),
  totalCount: count,
  page: count,
  pageSize: count,
  totalPages: count,
  nextCursor: z.string().nullable(),
  previousCursor: z.string().nullable(),
  state: listState,
  site,
  freshness,
})
export type UsersList = z.infer<typeof usersList>

export const userGetInput = z.object({ ...siteParam, userId: idInput })
export const userProfile = user.extend({ site, freshness })
export type UserProfile = z.infer<typeof userProfile>
