import type { EventKeeping, TotalsAudit } from '../../store.ts'
import type { Collections } from '../collections.ts'
import { siteBounds } from '../row-id.ts'
import type { TotalsRow } from '../rows.ts'
import { foldOwn } from './own-fold.ts'
import { settled } from './settled.ts'

const TRIES = 5
const figures = ['events', 'users', 'sessions', 'firstAt', 'lastAt'] as const
type Counted = Pick<TotalsRow, (typeof figures)[number]>

/** Compares the totals of a site with its users: every fold that changes one of them writes the totals' row. */
export async function auditTotals(
  rows: Collections,
  settle: () => Promise<void>,
  { siteId, mend, signal }: Parameters<EventKeeping['auditTotals']>[0],
): Promise<TotalsAudit> {
  const stored = () => rows.totals.findOne({ _id: siteId })
  for (let tries = 1; tries <= TRIES; tries++) {
    signal?.throwIfAborted()
    await settle()
    const before = await settled(rows, stored)
    const counted = await count(rows, siteId)
    const after = await settled(rows, stored)
    if (before === 'changing' || after === 'changing' || before?.fold !== after?.fold) continue
    if (!before) return { verdict: 'equal', lostUsers: 0, differences: [] }
    const differences = figures
      .map((figure) => ({ figure: `total ${figure}`, stored: before[figure], counted: counted[figure] }))
      .filter((difference) => difference.stored !== difference.counted)
    if (differences.length === 0) return { verdict: 'equal', lostUsers: 0, differences }
    const lostUsers = await countLost(rows, siteId)
    if (!mend || lostUsers > 0) return { verdict: 'different', lostUsers, differences }
    const isMended = await foldOwn(rows, async (fold) => {
      const now = await stored()
      if (now?.fold !== before.fold) return null
      return [{ into: 'totals', isNew: false, row: { ...now, ...counted, fold } }]
    })
    if (isMended) return { verdict: 'mended', lostUsers, differences }
  }
  return { verdict: 'busy', lostUsers: 0, differences: [] }
}

/** Looked at only when totals differ: it reads every session. */
async function countLost(rows: Collections, siteId: string): Promise<number> {
  const [first, last] = siteBounds(siteId)
  const [found] = await rows.sessions
    .aggregate<{ n: number }>([
      { $match: { _id: { $gt: first, $lt: last } } },
      { $group: { _id: '$user' } },
      { $lookup: { from: rows.users.collectionName, localField: '_id', foreignField: '_id', as: 'own' } },
      { $match: { own: { $size: 0 } } },
      { $count: 'n' },
    ])
    .toArray()
  return found?.n ?? 0
}

async function count(rows: Collections, siteId: string): Promise<Counted> {
  const [first, last] = siteBounds(siteId)
  const sums = {
    ...{ events: { $sum: '$events' }, users: { $sum: 1 }, sessions: { $sum: '$sessions' } },
    ...{ firstAt: { $min: '$firstAt' }, lastAt: { $max: '$lastAt' } },
  }
  const [found] = await rows.users
    .aggregate<Counted>([{ $match: { _id: { $gt: first, $lt: last } } }, { $group: { _id: null, ...sums } }])
    .toArray()
  const { events, users, sessions, firstAt, lastAt } = found ?? {
    events: 0,
    users: 0,
    sessions: 0,
    firstAt: 0,
    lastAt: 0,
  }
  return { events, users, sessions, firstAt, lastAt }
}
