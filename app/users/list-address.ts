import type { SortOrder } from '../../trpc/schema/common.ts'
import type { UserSort } from '../../trpc/schema/users.ts'
import { cut } from '../format/cut.ts'

/** The settings of a users page, read from its address: ?search, ?sort, ?order, ?pageSize, ?cursor. */
export interface ListAddress {
  search: string
  sort: UserSort
  order: SortOrder
  pageSize: number
  cursor: string | null
}

export const pageSizes = [25, 50, 100] as const

export const columns = [
  { sort: 'userId', label: 'User ID', first: 'asc' },
  { sort: 'totalSessions', label: 'Total Sessions', first: 'desc' },
  { sort: 'totalEvents', label: 'Total Events', first: 'desc' },
  { sort: 'orders', label: 'Orders', first: 'desc' },
  { sort: null, label: 'Revenue', first: 'desc' },
  { sort: 'firstActive', label: 'First Active', first: 'desc' },
  { sort: 'lastActive', label: 'Last Active', first: 'desc' },
] as const satisfies readonly { sort: UserSort | null; label: string; first: SortOrder }[]

/** Columns hidden on narrow screens. */
const wideOnly: ReadonlySet<string> = new Set(['Orders', 'Revenue', 'First Active'])

/** Hidden as well on screens under 360 px. */
const notTiny = 'Total Sessions'

/** CSS class of a column: numbers are right-aligned, some columns are hidden on narrow screens. */
export function columnClass(label: string): string {
  if (label === 'User ID') return ''
  return wideOnly.has(label) ? 'num wide-only' : label === notTiny ? 'num not-tiny' : 'num'
}

const sorts: ReadonlySet<string> = new Set(columns.flatMap(({ sort }) => sort ?? []))

/** Reads an address; invalid parameters are replaced by defaults. */
export function readListAddress(params: URLSearchParams): ListAddress {
  const sort = params.get('sort')
  const order = params.get('order')
  const pageSize = Number(params.get('pageSize'))
  return {
    search: cut((params.get('search') ?? '').trim(), 256),
    sort: sort !== null && sorts.has(sort) ? (sort as UserSort) : 'lastActive',
    order: order === 'asc' ? 'asc' : 'desc',
    pageSize: pageSizes.find((size) => size === pageSize) ?? 50,
    cursor: params.get('cursor'),
  }
}

/** The address of a list without default values. Other changes than a cursor lead to the first page. */
export function listAddress(list: ListAddress, changes: Partial<ListAddress> = {}): string {
  const next = { ...list, cursor: null, ...changes }
  const params = new URLSearchParams()
  if (next.search) params.set('search', next.search)
  if (next.sort !== 'lastActive' || next.order !== 'desc') {
    params.set('sort', next.sort)
    params.set('order', next.order)
  }
  if (next.pageSize !== 50) params.set('pageSize', String(next.pageSize))
  if (next.cursor) params.set('cursor', next.cursor)
  const text = params.toString()
  return text ? `/users?${text}` : '/users'
}

/** The address of a user's page. The id is encoded: ids may contain slashes, question marks and percent signs. */
export function journeyAddress(userId: string, back = ''): string {
  const path = `/users/${encodeURIComponent(userId)}/journey`
  const search = back.replace(/^\?/, '')
  return search ? `${path}?back=${encodeURIComponent(search)}` : path
}
