import type { IndexDescription } from 'mongodb'
import { AppError } from '../../errors.ts'
import { isDuplicateKey } from './client.ts'
import type { Collections } from './collections.ts'

/** Grows when older programs could no longer work with what is kept. */
const VERSION = 1
/**
 * A batch is run again until it is acknowledged in the log, whose events are refused long before this age; with its
 * ledger row gone it would count twice.
 */
const KEPT_BATCHES_DAYS = 30

/** Every sort of the user list is one of these, read in the one or the other direction; by user id it is the _id. */
const userIndexes: IndexDescription[] = [
  { key: { site: 1, events: 1, user: 1 } },
  { key: { site: 1, sessions: 1, user: 1 } },
  { key: { site: 1, orders: 1, user: 1 } },
  { key: { site: 1, firstAt: 1, user: 1 } },
  { key: { site: 1, lastAt: 1, user: 1 } },
]

/** Makes what is missing. AppError conflict for a database of a newer Veritas. */
export async function prepareDatabase(rows: Collections): Promise<void> {
  const meta = await rows.meta.findOne({ _id: 'store' })
  if (meta && meta.version > VERSION)
    throw new AppError('conflict', `The database is of a newer Veritas (version ${meta.version}, not ${VERSION}).`)
  if (meta?.version === VERSION) return
  await Promise.all([
    rows.users.createIndexes(userIndexes),
    rows.sessions.createIndexes([{ key: { user: 1, startAt: 1, session: 1 } }]),
    rows.ledger.createIndexes([
      { key: { state: 1, _id: 1 } },
      { key: { foldedAt: 1 }, expireAfterSeconds: KEPT_BATCHES_DAYS * 86_400 },
    ]),
    rows.plans.createIndexes([{ key: { fold: 1 } }]),
    rows.accounts.createIndexes([
      { key: { email: 1 }, unique: true },
      { key: { isFirst: 1 }, unique: true, sparse: true },
    ]),
    rows.logins.createIndexes([{ key: { expiresAt: 1 } }]),
    rows.keys.createIndexes([{ key: { siteId: 1, createdAt: 1, _id: 1 } }]),
  ])
  const idle = { applied: 0, phase: 'idle', batches: [], plan: '', parts: 0, owner: '', beat: 0, hold: '' } as const
  await unlessThere(rows.head.insertOne({ _id: 'head', ...idle, batches: [] }))
  // Last: whoever finds it finds everything.
  await unlessThere(rows.meta.insertOne({ _id: 'store', version: VERSION }))
}

/** The index holds the type, so that a rare type is found among many events without reading them. */
export async function prepareMonth(rows: Collections, month: number): Promise<void> {
  await rows.events(month).createIndexes([{ key: { user: 1, at: 1, seq: 1, type: 1 } }])
  await unlessThere(rows.months.insertOne({ _id: month }))
}

async function unlessThere(insertion: Promise<unknown>): Promise<void> {
  await insertion.catch((error: unknown) => {
    if (!isDuplicateKey(error)) throw error
  })
}
