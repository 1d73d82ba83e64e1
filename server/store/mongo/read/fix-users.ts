import { AppError } from '../../../errors.ts'
import { userKey } from '../../fixed-users.ts'
import type { UserListQuery, UserRow } from '../../store.ts'
import { orderKey } from '../order-key.ts'

/** In memory while they are put in order. */
const MAX_USERS = 500_000

/**
 * All users of a list in its order. They are read along their ids, which never move: whoever is there comes once, as it
 * is at that moment. A sorted cursor would miss or repeat those whose place changes meanwhile.
 */
export async function sortedUsers(
  { sort, order }: Pick<UserListQuery, 'sort' | 'order'>,
  pageAfter: (userId: string | null) => Promise<UserRow[]>,
): Promise<UserRow[]> {
  const users: UserRow[] = []
  for (let page = await pageAfter(null); page.length > 0; page = await pageAfter(page.at(-1)!.userId)) {
    for (const row of page) users.push(row)
    if (users.length > MAX_USERS)
      throw new AppError('unavailable', `A list of more than ${MAX_USERS} users is too long; narrow it with search.`, {
        isForClients: true,
      })
  }
  const sign = order === 'desc' ? -1 : 1
  const keyed = users.map((row) => ({ row, value: userKey(sort, row).value, id: orderKey(row.userId) }))
  keyed.sort((a, b) => {
    if (sort !== 'userId' && a.value !== b.value) return a.value < b.value ? -sign : sign
    return a.id < b.id ? -sign : sign
  })
  return keyed.map(({ row }) => row)
}
