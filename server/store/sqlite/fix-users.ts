import { dirname } from 'node:path'
import { AppError } from '../../errors.ts'
import { FIXED_BLOCK, fixUsers, userKey } from '../fixed-users.ts'
import type { FixedUsers, UserKey, UserListQuery, UserRow } from '../store.ts'
import { closedError } from './lane.ts'
import { Thread } from './thread.ts'

type Query = Pick<UserListQuery, 'siteId' | 'sort' | 'order' | 'prefix'>

/** Each keeps a state, and so what is written meanwhile in the file beside the store. */
const MAX_AT_ONCE = 2
/** For one block of users. */
const BLOCK_TIMEOUT_MS = 20_000

/** Lists of one state, read by a thread of their own into a file beside the store. */
export function createFixing(path: string): { fixUsers(query: Query): Promise<FixedUsers>; close(): Promise<void> } {
  const threads = new Set<Thread>()
  let isClosed = false

  async function* blocksOf(thread: Thread, query: Query): AsyncGenerator<UserRow[]> {
    const call = (name: string, input: unknown) => thread.call(name, input, { timeoutMs: BLOCK_TIMEOUT_MS })
    const { total } = (await call('listUsers', { ...query, limit: 0 })) as { total: number }
    let after: UserKey | undefined
    for (;;) {
      const rows = (await call('usersAfter', { ...query, total, limit: FIXED_BLOCK, after })) as UserRow[]
      if (rows.length > 0) yield rows
      if (rows.length < FIXED_BLOCK) return
      after = userKey(query.sort, rows.at(-1)!)
    }
  }

  return {
    async fixUsers(query) {
      if (isClosed) throw closedError()
      if (threads.size >= MAX_AT_ONCE)
        throw new AppError('unavailable', 'Other lists are being read; ask again in a moment.', {
          ...{ isForClients: true, retryAfterSeconds: 5 },
        })
      const thread = new Thread({ role: 'snapshot', path })
      threads.add(thread)
      try {
        return await fixUsers(blocksOf(thread, query), dirname(path))
      } finally {
        await thread.close()
        threads.delete(thread)
      }
    },
    async close() {
      isClosed = true
      const open = [...threads]
      for (const thread of open) thread.stop(closedError())
      await Promise.all(open.map(({ ended }) => ended))
    },
  }
}
