/** One row a job: who holds its lease, and what came of its runs. Times are epoch milliseconds, done_through is a day. */
export const jobs = `
CREATE TABLE jobs (
  name TEXT PRIMARY KEY,
  owner TEXT,
  lease_until INTEGER NOT NULL,
  done_through TEXT,
  last_success_at INTEGER,
  last_failure_at INTEGER,
  last_error TEXT,
  failures INTEGER NOT NULL DEFAULT 0,
  retry_at INTEGER NOT NULL DEFAULT 0,
  succeeded INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
`
