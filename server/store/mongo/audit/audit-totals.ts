import { setTimeout as sleep } from 'node:timers/promises'
import type { EventKeeping, TotalsAudit } from '../../store.ts'
import { inSnapshot } from '../causal.ts'
import type { Collections } from '../collections.ts'
import { siteBounds } from '../row-id.ts'
import type { TotalsRow } from '../rows.ts'
import { readHead } from '../write/head.ts'
import { foldOwn } from './own-fold.ts'

const TRIES = 5
const REST_MS = 50
/** Users or sessions of one step: a step takes a server some tens of milliseconds. */
const STEP_ROWS = 10_000
const figures = ['events', 'users', 'sessions', 'firstAt', 'lastAt'] as const
type Counted = Pick<TotalsRow, (typeof figures)[number]>

/**
 * Compares the totals of a site with its users, step by step. On a replica set or cluster all steps read one snapshot;
 * elsewhere the count holds if no fold has written the totals' row meanwhile, for every fold that changes a user does.
 */
export async function auditTotals(
  rows: Collections,
  settle: () => Promise<void>,
  { siteId, mend, signal }: Parameters<EventKeeping['auditTotals']>[0],
  stepRows = STEP_ROWS,
): Promise<TotalsAudit> {
  for (let tries = 1; tries <= TRIES; tries++) {
    signal?.throwIfAborted()
    await settle()
    const found = await inSnapshot(rows, (rows, isSnapshot) => compare(rows, siteId, isSnapshot, stepRows, signal))
    if (!found) {
      await sleep(REST_MS, undefined, { signal })
      continue
    }
    const { stored, counted } = found
    if (!stored) return { verdict: 'equal', lostUsers: 0, differences: [] }
    const differences = figures
      .map((figure) => ({ figure: `total ${figure}`, stored: stored[figure], counted: counted[figure] }))
      .filter((difference) => difference.stored !== difference.counted)
    if (differences.length === 0) return { verdict: 'equal', lostUsers: 0, differences }
    const lostUsers = await countLost(rows, siteId, stepRows, signal)
    if (!mend || lostUsers > 0) return { verdict: 'different', lostUsers, differences }
    const isMended = await foldOwn(rows, async (fold, rows) => {
      const now = await rows.totals.findOne({ _id: siteId })
      return now && [{ into: 'totals', isNew: false, row: { ...mended(now, stored, counted), fold } }]
    })
    if (isMended) return { verdict: 'mended', lostUsers, differences }
  }
  return { verdict: 'busy', lostUsers: 0, differences: [] }
}

/** Null when folds came in between. */
async function compare(
  rows: Collections,
  siteId: string,
  isSnapshot: boolean,
  stepRows: number,
  signal: AbortSignal | undefined,
): Promise<{ stored: TotalsRow | null; counted: Counted } | null> {
  const [head, stored] = [await rows.head.findOne({ _id: 'head' }), await rows.totals.findOne({ _id: siteId })]
  if (head?.phase === 'apply') return null
  const counted = await count(rows, siteId, stepRows, signal)
  if (isSnapshot) return { stored, counted }
  const after = await readHead(rows)
  const now = await rows.totals.findOne({ _id: siteId })
  return after.phase === 'apply' || now?.fold !== stored?.fold ? null : { stored, counted }
}

/** The totals are as far from right as they were when they were counted, whatever folds have added since. */
function mended(now: TotalsRow, stored: TotalsRow, counted: Counted): TotalsRow {
  return {
    ...now,
    events: now.events + counted.events - stored.events,
    users: now.users + counted.users - stored.users,
    sessions: now.sessions + counted.sessions - stored.sessions,
    firstAt: now.firstAt === stored.firstAt ? counted.firstAt : Math.min(now.firstAt, counted.firstAt),
    lastAt: now.lastAt === stored.lastAt ? counted.lastAt : Math.max(now.lastAt, counted.lastAt),
  }
}

async function count(
  rows: Collections,
  siteId: string,
  stepRows: number,
  signal: AbortSignal | undefined,
): Promise<Counted> {
  const [first, last] = siteBounds(siteId)
  const sums = {
    ...{ events: { $sum: '$events' }, users: { $sum: 1 }, sessions: { $sum: '$sessions' } },
    ...{ firstAt: { $min: '$firstAt' }, lastAt: { $max: '$lastAt' }, reached: { $last: '$_id' } },
  }
  const total: Counted = { events: 0, users: 0, sessions: 0, firstAt: 0, lastAt: 0 }
  for (let after = first; ; ) {
    signal?.throwIfAborted()
    const [step] = await rows.users
      .aggregate<Counted & { reached: string }>([
        { $match: { _id: { $gt: after, $lt: last } } },
        { $sort: { _id: 1 } },
        { $limit: stepRows },
        { $group: { _id: null, ...sums } },
      ])
      .toArray()
    if (!step) return total
    total.firstAt = total.users === 0 ? step.firstAt : Math.min(total.firstAt, step.firstAt)
    total.lastAt = Math.max(total.lastAt, step.lastAt)
    total.events += step.events
    total.users += step.users
    total.sessions += step.sessions
    if (step.users < stepRows) return total
    after = step.reached
  }
}

/** Users who have sessions and no row. Looked at only when totals differ: it reads every session. */
async function countLost(
  rows: Collections,
  siteId: string,
  stepRows: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const [first, last] = siteBounds(siteId)
  let lost = 0
  let known = ''
  for (let after = first; ; ) {
    signal?.throwIfAborted()
    const step = await rows.sessions
      .find({ _id: { $gt: after, $lt: last } }, { projection: { user: 1 } })
      .sort({ _id: 1 })
      .limit(stepRows)
      .toArray()
    // The sessions of a user come together, be it over two steps.
    const users = new Set(step.map(({ user }) => user))
    users.delete(known)
    const there = await rows.users.find({ _id: { $in: [...users] } }, { projection: { _id: 1 } }).toArray()
    lost += users.size - there.length
    const reached = step.at(-1)
    if (!reached || step.length < stepRows) return lost
    known = reached.user
    after = reached._id
  }
}
