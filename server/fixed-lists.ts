import { randomUUID } from 'node:crypto'
import { AppError } from './errors.ts'
import type { FixedUsers } from './store/store.ts'

/** Kept for whoever walks through one; a list is a file and no more than its index in memory. */
const MAX_LISTS = 16
const IDLE_MS = 10 * 60_000
/** Where there are too many, one that was not asked for so long goes. */
const SHORT_IDLE_MS = 30_000

/** Lists that do not change while somebody goes through their pages. They are this process's, and end with it. */
export interface FixedLists<About> {
  /** Keeps a list under a new id. AppError unavailable when too many are in use. */
  keep(users: FixedUsers, about: About): Promise<string>
  /** AppError conflict when it is not kept (any more). */
  find(id: string): { users: FixedUsers; about: About }
  close(): Promise<void>
}

export function createFixedLists<About>(now: () => number): FixedLists<About> {
  const lists = new Map<string, { users: FixedUsers; about: About; usedAt: number }>()

  async function drop(id: string): Promise<void> {
    const list = lists.get(id)
    lists.delete(id)
    await list?.users.close()
  }

  return {
    async keep(users, about) {
      // Those used last are at the end.
      for (const [id, { usedAt }] of [...lists])
        if (now() - usedAt > (lists.size < MAX_LISTS ? IDLE_MS : SHORT_IDLE_MS)) await drop(id)
      if (lists.size >= MAX_LISTS) {
        await users.close()
        throw new AppError('unavailable', 'Too many lists are being read; ask again in some minutes.', {
          retryAfterSeconds: 60,
        })
      }
      const id = randomUUID()
      lists.set(id, { users, about, usedAt: now() })
      return id
    },
    find(id) {
      const list = lists.get(id)
      if (!list)
        throw new AppError(
          'conflict',
          'This list is not kept any more (after ten minutes without a question, or when the server is started again); leave cursor out to begin a new one.',
          { field: 'cursor' },
        )
      list.usedAt = now()
      lists.delete(id)
      lists.set(id, list)
      return list
    },
    async close() {
      for (const id of [...lists.keys()]) await drop(id)
    },
  }
}
