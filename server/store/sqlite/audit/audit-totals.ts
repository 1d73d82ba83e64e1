import type { TotalsAudit } from '../../store.ts'
import type { Database } from '../database.ts'
import { extreme, type Totals, TotalsCount } from './totals-count.ts'

/** Users counted in one step: some ten milliseconds. */
const STEP_USERS = 20_000

export interface TotalsQuery {
  siteId: string
  /** A name of this count's own. */
  run: string
  isFirst: boolean
  stepUsers?: number
}

/** Where a count is. lost: it has to begin anew, for rows of users were exchanged, or another count began. */
export type TotalsStep =
  | { state: 'counting' | 'lost' | 'no such site' }
  | { state: 'counted'; stored: Totals; counted: Totals }

/** Goes on with the count of a site's users; at its end there is what the totals say at the same moment. */
export function countTotals(db: Database, query: TotalsQuery): TotalsStep {
  const { siteId, run, isFirst, stepUsers = STEP_USERS } = query
  return db.write(() => {
    const site = db.get<{ siteNo: number }>('SELECT site_no AS siteNo FROM sites WHERE id = ?', siteId)
    if (!site) return { state: 'no such site' }
    const count = isFirst ? TotalsCount.begin(db, run, site.siteNo) : TotalsCount.standing(db)
    if (!count?.isOf(run, site.siteNo)) return { state: 'lost' }
    const counted = count.step(stepUsers)
    if (!counted) {
      count.save()
      return { state: 'counting' }
    }
    TotalsCount.end(db)
    return { state: 'counted', stored: db.get<Totals>(SELECT_STORED, siteId)!, counted }
  })
}

export function totalsDifferences(stored: Totals, counted: Totals): TotalsAudit['differences'] {
  return figures
    .map((figure) => ({ figure: `total ${figure}`, stored: stored[figure] ?? 0, counted: counted[figure] ?? 0 }))
    .filter((difference) => difference.stored !== difference.counted)
}

/** Users who have sessions and no row, of any site, among the next so many numbers; `next` is null after the last. */
export function lostUsers(
  db: Database,
  { after, stepUsers = STEP_USERS }: { after: number; stepUsers?: number },
): { lost: number; next: number | null } {
  const through = after + stepUsers
  const { lost } = db.get<{ lost: number }>(SELECT_LOST, after, through)!
  const { last } = db.get<{ last: number | null }>('SELECT max(user_no) AS last FROM sessions')!
  return { lost, next: through < (last ?? 0) ? through : null }
}

/**
 * Puts totals right by as much as they were wrong: what came in since the count is in both by now. First and last are
 * those that were counted, or what came in since where that is earlier or later.
 */
export function mendTotals(
  db: Database,
  { siteId, stored, counted }: { siteId: string; stored: Totals; counted: Totals },
): void {
  db.write(() => {
    const now = db.get<Totals>(SELECT_STORED, siteId)
    if (!now) return
    const right = (figure: 'events' | 'users' | 'sessions') => now[figure] + counted[figure] - stored[figure]
    const first = now.firstAt === stored.firstAt ? [counted.firstAt] : [counted.firstAt, now.firstAt]
    const last = now.lastAt === stored.lastAt ? [counted.lastAt] : [counted.lastAt, now.lastAt]
    db.run(
      UPDATE,
      ...[right('events'), right('users'), right('sessions')],
      ...[extreme(Math.min, first), extreme(Math.max, last), siteId],
    )
  })
}

const figures = ['events', 'users', 'sessions', 'firstAt', 'lastAt'] as const
const SELECT_STORED = `SELECT events, users, sessions, first_at AS firstAt, last_at AS lastAt FROM sites WHERE id = ?`
const SELECT_LOST = `SELECT count(*) AS lost FROM
    (SELECT DISTINCT user_no FROM sessions WHERE user_no > ?1 AND user_no <= ?2) known
  WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.user_no = known.user_no)`
const UPDATE = 'UPDATE sites SET events = ?, users = ?, sessions = ?, first_at = ?, last_at = ? WHERE id = ?'
