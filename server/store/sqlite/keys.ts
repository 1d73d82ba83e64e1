import { AppError } from '../../errors.ts'
import type { WriteKey } from '../store.ts'
import type { Database } from './database.ts'

interface KeyRow {
  key_hash: string
  site_id: string
  kind: WriteKey['kind']
  name: string
  events_per_second: number | null
  origins: string | null
  created_at: number
}

export function createKey(db: Database, key: WriteKey & { keyHash: string }): void {
  db.write(() => {
    if (!db.get('SELECT id FROM sites WHERE id = ?', key.siteId))
      throw new AppError('not_found', `There is no site ${key.siteId}.`, { field: 'site' })
    db.run(
      'INSERT INTO write_keys (key_hash, site_id, kind, name, events_per_second, origins, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      key.keyHash,
      key.siteId,
      key.kind,
      key.name,
      key.eventsPerSecond,
      key.origins,
      key.createdAt,
    )
  })
}

export function keyByHash(db: Database, keyHash: string): WriteKey | null {
  const row = db.get<KeyRow>('SELECT * FROM write_keys WHERE key_hash = ?', keyHash)
  return row ? toKey(row) : null
}

export function keyDigests(db: Database, most: number): string[] {
  return db.all<KeyRow>('SELECT key_hash FROM write_keys LIMIT ?', most).map((row) => row.key_hash)
}

export function listKeys(db: Database, siteId: string): (WriteKey & { keyHash: string })[] {
  return db
    .all<KeyRow>('SELECT * FROM write_keys WHERE site_id = ? ORDER BY created_at, key_hash', siteId)
    .map((row) => ({ ...toKey(row), keyHash: row.key_hash }))
}

export function revokeKey(db: Database, keyHash: string): boolean {
  return db.write(() => db.run('DELETE FROM write_keys WHERE key_hash = ?', keyHash)) > 0
}

function toKey(row: KeyRow): WriteKey {
  return {
    siteId: row.site_id,
    kind: row.kind,
    name: row.name,
    eventsPerSecond: row.events_per_second,
    origins: row.origins,
    createdAt: row.created_at,
  }
}
