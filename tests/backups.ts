import { join } from 'node:path'
import { type BackupParts, createBackup } from '../server/backup/create.ts'
import type { BackupManifest } from '../server/backup/manifest.ts'
import { type RestoreParts, restoreBackup } from '../server/backup/restore.ts'
import { createFolderDestination } from '../server/export/folder.ts'
import { compareAnswers } from '../server/store/compare-answers.ts'
import { Oracle } from '../server/store/oracle.ts'
import type { Store, StoredEvent } from '../server/store/store.ts'

const never = new AbortController().signal

/** Where a server stores its data: a data folder, and a database address for MongoDB (null for SQLite). */
export interface Place {
  dataDir: string
  mongoUrl: string | null
}

export const settingsOf = ({ dataDir, mongoUrl }: Place): BackupParts & RestoreParts => ({
  dataDir,
  mongoUrl,
  walDir: join(dataDir, 'wal'),
  storePath: join(dataDir, 'veritas.db'),
  version: '1.0.0',
  force: false,
  now: Date.now,
})

export async function backUp(place: Place, file: string): Promise<BackupManifest> {
  const destination = createFolderDestination(join(file, '..'))
  return createBackup(settingsOf(place), { destination, key: file.slice(file.lastIndexOf('/') + 1), signal: never })
}

export async function restore(file: string, place: Place, over: Partial<RestoreParts> = {}): Promise<BackupManifest> {
  const content = await createFolderDestination(join(file, '..')).read(file.slice(file.lastIndexOf('/') + 1))
  return restoreBackup({ ...settingsOf(place), ...over }, content!, never)
}

/** Recomputes all figures, user lists and journeys from the stored events and compares them. Returns the events. */
export async function expectSound(store: Store, siteId: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  for await (const page of store.scanEvents(siteId)) events.push(...page)
  const oracle = new Oracle([(await store.site(siteId))!])
  oracle.insertBatch({ id: 'all', events })
  await compareAnswers(store, oracle, siteId)
  return events
}
