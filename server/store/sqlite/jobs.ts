import type { JobState, JobStore } from '../store.ts'
import type { Database } from './database.ts'

type Input<Method extends keyof JobStore> = Parameters<JobStore[Method]>[0]

interface JobRow {
  name: string
  owner: string | null
  lease_until: number
  done_through: string | null
  last_success_at: number | null
  last_failure_at: number | null
  last_error: string | null
  failures: number
  retry_at: number
  succeeded: number
  failed: number
}

export function claimJob(db: Database, { name, owner, now, until }: Input<'claim'>): boolean {
  return db.write(() => {
    const changed = db.run(
      `INSERT INTO jobs (name, owner, lease_until) VALUES (?1, ?2, ?3)
       ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
       WHERE owner IS NULL OR owner = excluded.owner OR lease_until <= ?4`,
      name,
      owner,
      until,
      now,
    )
    return changed > 0
  })
}

export function releaseJob(db: Database, { name, owner }: Input<'release'>): void {
  db.write(() => db.run('UPDATE jobs SET owner = NULL, lease_until = 0 WHERE name = ? AND owner = ?', name, owner))
}

export function noteJob(db: Database, { name, owner, note }: Input<'note'>): boolean {
  return db.write(() => {
    switch (note.kind) {
      case 'begun':
        return (
          db.run('UPDATE jobs SET done_through = ? WHERE name = ? AND owner = ?', note.doneThrough, name, owner) > 0
        )
      case 'succeeded':
        return (
          db.run(
            `UPDATE jobs SET done_through = coalesce(?, done_through), last_success_at = ?, last_error = NULL,
             failures = 0, retry_at = 0, succeeded = succeeded + 1 WHERE name = ? AND owner = ?`,
            note.doneThrough,
            note.at,
            name,
            owner,
          ) > 0
        )
      case 'failed':
        return (
          db.run(
            `UPDATE jobs SET last_failure_at = ?, last_error = ?, failures = failures + 1, retry_at = ?,
             failed = failed + 1 WHERE name = ? AND owner = ?`,
            note.at,
            note.error,
            note.retryAt,
            name,
            owner,
          ) > 0
        )
    }
  })
}

export function listJobs(db: Database): JobState[] {
  return db.all<JobRow>('SELECT * FROM jobs ORDER BY name').map((row) => ({
    name: row.name,
    owner: row.owner,
    leaseUntil: row.lease_until,
    doneThrough: row.done_through,
    lastSuccessAt: row.last_success_at,
    lastFailureAt: row.last_failure_at,
    lastError: row.last_error,
    failures: row.failures,
    retryAt: row.retry_at,
    succeeded: row.succeeded,
    failed: row.failed,
  }))
}
