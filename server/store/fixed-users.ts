import { mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { UserSort } from '../../trpc/schema/users.ts'
import { AppError } from '../errors.ts'
import type { FixedUsers, UserKey, UserRow } from './store.ts'

/** Rows of one block of the file: what is read for a page, and what an engine gives at once. */
export const FIXED_BLOCK = 1000
/** An engine keeps a state only for so long: what is written meanwhile has to be kept beside it. */
const TIMEOUT_MS = 60_000

/**
 * Writes the rows of a list to a file of its own, which nobody else sees and which is gone with this process, and gives
 * them back from there: an engine need not hold one state for as long as somebody takes to read it. `blocks` are rows in
 * the list's order, all of FIXED_BLOCK rows but the last. AppError unavailable when they take longer than a minute.
 */
export async function fixUsers(blocks: AsyncIterable<UserRow[]>, folder: string): Promise<FixedUsers> {
  const own = await mkdtemp(join(folder, 'veritas-list-'))
  const file = await open(join(own, 'users'), 'wx+', 0o600)
  await rm(own, { recursive: true })
  const ends: number[] = []
  let total = 0
  const deadline = performance.now() + TIMEOUT_MS
  try {
    for await (const rows of blocks) {
      if (performance.now() > deadline)
        throw new AppError('unavailable', 'The list took longer than a minute to read; narrow it with search.', {
          isForClients: true,
        })
      const bytes = Buffer.from(JSON.stringify(rows))
      const { bytesWritten } = await file.write(bytes, 0, bytes.length, ends.at(-1) ?? 0)
      if (bytesWritten < bytes.length)
        throw new AppError('unavailable', 'There is no room for the list on the disk.', { isForClients: true })
      ends.push((ends.at(-1) ?? 0) + bytes.length)
      total += rows.length
    }
  } catch (error) {
    await file.close()
    throw error
  }

  async function block(index: number): Promise<UserRow[]> {
    const from = ends[index - 1] ?? 0
    const bytes = Buffer.alloc(ends[index]! - from)
    await file.read(bytes, 0, bytes.length, from)
    return JSON.parse(bytes.toString()) as UserRow[]
  }

  return {
    total,
    async rows(from, limit) {
      const rows: UserRow[] = []
      const to = Math.min(total, from + limit)
      for (let index = Math.floor(from / FIXED_BLOCK); index * FIXED_BLOCK < to; index++) {
        const first = index * FIXED_BLOCK
        rows.push(...(await block(index)).slice(Math.max(0, from - first), to - first))
      }
      return rows
    },
    close: () => file.close(),
  }
}

/** The row's place in a list of this sort. */
export function userKey(sort: UserSort, row: UserRow): UserKey {
  const { userId, sessions, events, orders, firstActive, lastActive } = row
  const values = { userId, totalSessions: sessions, totalEvents: events, orders, firstActive, lastActive }
  return { value: values[sort], userId }
}
