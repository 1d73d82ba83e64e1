import type { TotalsAudit } from '../../store.ts'
import type { Database } from '../database.ts'

/** Compares the totals of a site with its users. */
export function auditTotals(db: Database, { siteId }: { siteId: string }): TotalsAudit {
  const stored = db.get<Totals>(SELECT_STORED, siteId)
  const counted = stored && db.get<Totals>(SELECT_COUNTED, siteId)
  if (!stored || !counted) return { verdict: 'equal', lostUsers: 0, differences: [] }
  const differences = figures
    .map((figure) => ({ figure: `total ${figure}`, stored: stored[figure] ?? 0, counted: counted[figure] ?? 0 }))
    .filter((difference) => difference.stored !== difference.counted)
  if (differences.length === 0) return { verdict: 'equal', lostUsers: 0, differences }
  return { verdict: 'different', lostUsers: db.get<{ n: number }>(SELECT_LOST)!.n, differences }
}

/** The same, and puts them right, unless they know more than the rows that are left. */
export function mendTotals(db: Database, query: { siteId: string }): TotalsAudit {
  return db.write(() => {
    const audit = auditTotals(db, query)
    if (audit.verdict !== 'different' || audit.lostUsers > 0) return audit
    const { events, users, sessions, firstAt, lastAt } = db.get<Totals>(SELECT_COUNTED, query.siteId)!
    db.run(UPDATE, events, users, sessions, firstAt, lastAt, query.siteId)
    return { ...audit, verdict: 'mended' }
  })
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
