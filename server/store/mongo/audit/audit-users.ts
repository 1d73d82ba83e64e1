import { setTimeout as sleep } from 'node:timers/promises'
import type { Document } from 'mongodb'
import { monthOf } from '../../../analysis/months.ts'
import type { EventKeeping, UsersAudit } from '../../store.ts'
import { type UserRows, userDifferences } from '../../user-count.ts'
import { afterFolds } from '../causal.ts'
import type { Collections } from '../collections.ts'
import { siteBounds, userOfRowId } from '../row-id.ts'
import type { UserRow } from '../rows.ts'
import { sessionFiguresOf, userFiguresOf } from '../user-rows.ts'
import { BATCHES_TIMEOUT_MS } from './audit-day.ts'
import { type CountedUser, countUsers, type WrongUser } from './count-users.ts'
import { mendUsers } from './mend-users.ts'
import { batchesEnded, settled } from './settled.ts'

const STEP_USERS = 200
/** Counts that new events may spoil. */
const TRIES = 5
const REST_MS = 200

export type UsersQuery = Parameters<EventKeeping['auditUsers']>[0]

/**
 * Certain for the same reason as the audit of a day: every fold that has an event of a user writes the user's row, so one
 * that is the same before and after the count, with every batch begun by then folded, has them all.
 */
export async function auditUsers(
  rows: Collections,
  settle: () => Promise<void>,
  { siteId, since, after, one, mend, signal }: UsersQuery,
  batchesTimeoutMs = BATCHES_TIMEOUT_MS,
): Promise<UsersAudit> {
  const site = await rows.sites.findOne({ _id: siteId })
  const { users, next } = await afterFolds(rows, (rows) =>
    stepOf(rows, { siteId, since, after, most: one ? 1 : STEP_USERS }),
  )
  const answer: UsersAudit = { verdict: 'equal', users: users.length, differences: [], next }
  if (!site || users.length === 0 || one === 'pass over') return answer
  let left = users
  const zone = site.timeZone
  /** One count of those who are left; false when a batch stands half-way. */
  const attempt = async (rows: Collections): Promise<boolean> => {
    const before = await settled(rows, () => storedRows(rows, left))
    const counted = await countUsers(rows, { siteId, zone, users: left }, signal)
    const wrong = before === 'changing' ? [] : wrongUsers(left, before, counted)
    if (before !== 'changing' && wrong.length === 0) {
      left = []
      return true
    }
    const ended = await batchesEnded(rows, settle, batchesTimeoutMs, signal)
    const folds = ended ? await settled(rows, () => foldsOf(rows, left)) : 'changing'
    if (before !== 'changing' && folds !== 'changing') {
      const certain = wrong.filter(({ id, fold }) => (folds.get(id) ?? null) === fold)
      const isMended = mend && certain.length > 0 && (await mendUsers(rows, siteId, certain))
      if (isMended || !mend) {
        for (const { differences } of certain) answer.differences.push(...differences)
        if (certain.length > 0) answer.verdict = isMended ? 'mended' : 'different'
        const done = new Set(certain)
        left = wrong.filter((user) => !done.has(user)).map(({ id }) => id)
      }
    }
    return ended
  }
  for (let tries = 1; left.length > 0; tries++) {
    signal?.throwIfAborted()
    await settle()
    const ended = await afterFolds(rows, attempt)
    if (left.length === 0) break
    if (tries === TRIES || !ended) return { ...answer, verdict: 'busy' }
    await sleep(REST_MS, undefined, { signal })
  }
  return answer
}

/** The _ids of some users, of those too who have come and have no row of their own. */
async function stepOf(
  rows: Collections,
  { siteId, since, after, most }: { siteId: string; since: number; after: string | null; most: number },
): Promise<{ users: string[]; next: string | null }> {
  const [first, last] = siteBounds(siteId)
  const found = await rows.users
    .find({ _id: { $gt: after ?? first, $lt: last }, lastAt: { $gte: since } }, { projection: { _id: 1 } })
    .sort({ _id: 1 })
    .limit(most)
    .toArray()
  const next = found[most - 1]?._id ?? null
  const users = new Set(found.map(({ _id }) => _id))
  const range = next === null ? { $gt: after ?? first, $lt: last } : { $gt: after ?? first, $lte: next }
  for await (const id of visitors(rows, range, since)) users.add(id)
  return { users: [...users], next }
}

/** Users who have sessions, or since an instant events. */
async function* visitors(rows: Collections, range: Document, since: number): AsyncGenerator<string> {
  const byUser = { $group: { _id: '$user' } }
  if (since === 0) {
    for await (const { _id } of rows.sessions.aggregate<{ _id: string }>([{ $match: { user: range } }, byUser]))
      yield _id
    return
  }
  const match = { $match: { user: range, at: { $gte: since } } }
  for (const { _id: month } of await rows.months.find({ _id: { $gte: monthOf(since) } }).toArray())
    for await (const { _id } of rows.events(month).aggregate<{ _id: string }>([match, byUser])) yield _id
}

interface StoredUser {
  row: UserRow | null
  rows: UserRows
}
type Stored = Map<string, StoredUser>

async function storedRows(rows: Collections, users: readonly string[]): Promise<Stored> {
  const none = (): StoredUser => ({ row: null, rows: { user: null, sessions: [] } })
  const stored: Stored = new Map(users.map((id) => [id, none()]))
  for await (const row of rows.users.find({ _id: { $in: [...users] } }))
    stored.set(row._id, { row, rows: { user: userFiguresOf(row), sessions: [] } })
  for await (const row of rows.sessions.find({ user: { $in: [...users] } }))
    stored.get(row.user)?.rows.sessions.push(sessionFiguresOf(row))
  return stored
}

async function foldsOf(rows: Collections, users: readonly string[]): Promise<Map<string, number>> {
  const found = await rows.users.find({ _id: { $in: [...users] } }, { projection: { fold: 1 } }).toArray()
  return new Map(found.map(({ _id, fold }) => [_id, fold]))
}

function wrongUsers(users: readonly string[], stored: Stored, counted: Map<string, CountedUser>): WrongUser[] {
  return users.flatMap((id) => {
    const { row, rows } = stored.get(id)!
    const own = counted.get(id)!
    const userId = userOfRowId(id)
    const differences = userDifferences(rows, own.count.expected(rows)).map((each) => ({ userId, ...each }))
    for (const { orderId } of own.orders)
      differences.push({ userId, figure: `order ${orderId}: counts by`, stored: 0, counted: 1 })
    return differences.length === 0 ? [] : [{ id, fold: row?.fold ?? null, stored: rows, counted: own, differences }]
  })
}
