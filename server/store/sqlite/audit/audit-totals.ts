import type { TotalsAudit } from '../../store.ts'
import type { Database } from '../database.ts'

export interface AuditedTotals extends TotalsAudit {
  stored?: Totals
  counted?: Totals
}

/** Compares the totals of a site with its users, in one state of the store. */
export function auditTotals(db: Database, { siteId }: { siteId: string }): AuditedTotals {
  const stored = db.get<Totals>(SELECT_STORED, siteId)
  const counted = stored && db.get<Totals>(SELECT_COUNTED, siteId)
  if (!stored || !counted) return { verdict: 'equal', lostUsers: 0, differences: [] }
  const differences = figures
    .map((figure) => ({ figure: `total ${figure}`, stored: stored[figure] ?? 0, counted: counted[figure] ?? 0 }))
    .filter((difference) => difference.stored !== difference.counted)
  if (differences.length === 0) return { verdict: 'equal', lostUsers: 0, differences }
  return { verdict: 'different', lostUsers: db.get<{ n: number }>(SELECT_LOST)!.n, differences, stored, counted }
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

function extreme(of: (...values: number[]) => number, values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : of(...known)
}

interface Totals {
  events: number
  users: number
  sessions: number
  firstAt: number | null
  lastAt: number | null
}

const figures = ['events', 'users', 'sessions', 'firstAt', 'lastAt'] as const
const SELECT_STORED = `SELECT events, users, sessions, first_at AS firstAt, last_at AS lastAt FROM sites WHERE id = ?`
const SELECT_COUNTED = `SELECT coalesce(sum(u.events), 0) AS events, count(*) AS users,
    coalesce(sum(u.sessions), 0) AS sessions, min(u.first_at) AS firstAt, max(u.last_at) AS lastAt
  FROM users u WHERE u.site_no = (SELECT site_no FROM sites WHERE id = ?)`
const SELECT_LOST = `SELECT count(DISTINCT user_no) AS n FROM sessions
  WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.user_no = sessions.user_no)`
const UPDATE = 'UPDATE sites SET events = ?, users = ?, sessions = ?, first_at = ?, last_at = ? WHERE id = ?'
