import type { Database } from './database.ts'

export function mark(db: Database, name: string): string | null {
  return db.get<{ value: string }>('SELECT value FROM marks WHERE name = ?', name)?.value ?? null
}

/** null takes it away. */
export function setMark(db: Database, { name, value }: { name: string; value: string | null }): void {
  if (value === null) db.run('DELETE FROM marks WHERE name = ?', name)
  else
    db.run(
      'INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      name,
      value,
    )
}
