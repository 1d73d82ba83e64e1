import type { MovedKind, MovedRows } from '../../store.ts'
import type { Database, SqlValue } from '../database.ts'

/** A kind of row by its table: each field and its column, the key first. */
type Shape<Row> = {
  table: string
  columns: [field: keyof Row & string, column: string][]
  /** What a new row has beside them. */
  own?: string
}

const shapes: { [Kind in MovedKind]: Shape<MovedRows[Kind]> } = {
  sites: {
    table: 'sites',
    columns: [
      ['id', 'id'],
      ['name', 'name'],
      ['timeZone', 'time_zone'],
      ['currency', 'currency'],
    ],
  },
  accounts: {
    table: 'accounts',
    columns: [
      ['id', 'id'],
      ['email', 'email'],
      ['name', 'name'],
      ['role', 'role'],
      ['passwordHash', 'password_hash'],
      ['createdAt', 'created_at'],
    ],
  },
  logins: {
    table: 'account_sessions',
    columns: [
      ['tokenHash', 'token_hash'],
      ['accountId', 'account_id'],
      ['createdAt', 'created_at'],
      ['expiresAt', 'expires_at'],
    ],
  },
  invitations: {
    table: 'invitations',
    columns: [
      ['tokenHash', 'token_hash'],
      ['email', 'email'],
      ['createdAt', 'created_at'],
      ['expiresAt', 'expires_at'],
    ],
  },
  tokens: {
    table: 'api_tokens',
    columns: [
      ['tokenHash', 'token_hash'],
      ['name', 'name'],
      ['accountId', 'account_id'],
      ['createdAt', 'created_at'],
    ],
  },
  keys: {
    table: 'write_keys',
    columns: [
      ['keyHash', 'key_hash'],
      ['siteId', 'site_id'],
      ['kind', 'kind'],
      ['name', 'name'],
      ['eventsPerSecond', 'events_per_second'],
      ['origins', 'origins'],
      ['createdAt', 'created_at'],
    ],
  },
  jobs: {
    table: 'jobs',
    own: 'lease_until',
    columns: [
      ['name', 'name'],
      ['doneThrough', 'done_through'],
      ['lastSuccessAt', 'last_success_at'],
      ['lastFailureAt', 'last_failure_at'],
      ['lastError', 'last_error'],
      ['failures', 'failures'],
      ['retryAt', 'retry_at'],
      ['succeeded', 'succeeded'],
      ['failed', 'failed'],
    ],
  },
}

const PAGE_ROWS = 1000

type Fields = Record<string, SqlValue>

export function movedRows<Kind extends MovedKind>(
  db: Database,
  { kind, after }: { kind: Kind; after: string | null },
): MovedRows[Kind][] {
  const { table, columns } = shapes[kind]
  const key = columns[0]![1]
  const fields = columns.map(([field, column]) => `${column} AS ${field}`).join(', ')
  const rows = db.all<Fields>(
    `SELECT ${fields} FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ${PAGE_ROWS}`,
    after ?? '',
  )
  return rows.map((row) => ({ ...row })) as unknown as MovedRows[Kind][]
}

export function putRows<Kind extends MovedKind>(
  db: Database,
  { kind, rows }: { kind: Kind; rows: MovedRows[Kind][] },
): void {
  const { table, columns, own } = shapes[kind]
  const names = columns.map(([, column]) => column)
  const [key, ...others] = names
  const sql = `INSERT INTO ${table} (${names.join(', ')}${own ? `, ${own}` : ''})
    VALUES (${names.map(() => '?').join(', ')}${own ? ', 0' : ''})
    ON CONFLICT (${key}) DO UPDATE SET ${others.map((column) => `${column} = excluded.${column}`).join(', ')}`
  db.write(() => {
    for (const row of rows) db.run(sql, ...columns.map(([field]) => (row as unknown as Fields)[field] ?? null))
  })
}

export function clearRows(db: Database, kind: Exclude<MovedKind, 'sites'>): void {
  db.write(() => db.run(`DELETE FROM ${shapes[kind].table}`))
}
