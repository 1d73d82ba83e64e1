import { z } from 'zod'

export const BACKUP_FORMAT = 'veritas-backup/1'
export const MANIFEST = 'manifest.json'

/** The last file of a backup: what is in it. */
const manifest = z.object({
  format: z.literal(BACKUP_FORMAT),
  engine: z.enum(['sqlite', 'mongo']),
  /** Of the store's tables or collections: a program reads those up to its own. */
  storeFormat: z.number().int(),
  /** Of the program that made it. */
  version: z.string(),
  /** Whatever was promised before this moment is in it. */
  begunAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** Rows by table or collection. */
  counts: z.record(z.string(), z.number().int()),
  /** For MongoDB: claims of batches that were not stored yet, which are left out (docs/decisions/010). */
  unfinished: z.array(z.string()),
  files: z.array(z.object({ name: z.string(), bytes: z.number().int(), sha256: z.string() })),
})
export type BackupManifest = z.infer<typeof manifest>

/** null for what is no manifest of this format. */
export function parseBackupManifest(text: string): BackupManifest | null {
  try {
    return manifest.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}

/** The format that a manifest names, to tell a newer one from something else. */
export function formatOf(text: string): string | null {
  try {
    const { format } = JSON.parse(text) as { format?: unknown }
    return typeof format === 'string' ? format : null
  } catch {
    return null
  }
}
