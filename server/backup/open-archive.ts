import { createHash } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError } from '../errors.ts'
import { unzipped } from '../export/content.ts'
import { BACKUP_FORMAT, type BackupManifest, formatOf, MANIFEST, parseBackupManifest } from './manifest.ts'
import { damaged, type Entry, readTar } from './tar.ts'

/**
 * Unpacks a backup into an empty folder and checks each file against the manifest. AppError invalid_input for one that
 * is cut or damaged, conflict for one of a newer Veritas.
 */
export async function openArchive(
  content: AsyncIterable<Uint8Array>,
  folder: string,
  signal: AbortSignal,
): Promise<BackupManifest> {
  const found = new Map<string, { bytes: number; sha256: string }>()
  try {
    await readTar(unzipped(content), async (entry) => {
      if (found.has(entry.name)) throw damaged(`it holds ${entry.name} twice`)
      found.set(entry.name, await unpack(entry, join(folder, entry.name), signal))
    })
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (typeof code === 'string' && code.startsWith('Z_')) throw damaged('its compression is damaged or cut')
    throw error
  }
  const text = found.has(MANIFEST) ? await readFile(join(folder, MANIFEST), 'utf8') : ''
  const manifest = parseBackupManifest(text)
  if (!manifest) {
    const format = formatOf(text)
    if (format?.startsWith('veritas-backup/') && format !== BACKUP_FORMAT)
      throw new AppError(
        'conflict',
        `The backup has the format ${format}, this Veritas knows ${BACKUP_FORMAT}: restore it with a newer one.`,
      )
    throw damaged('it has no manifest')
  }
  found.delete(MANIFEST)
  for (const { name, bytes, sha256 } of manifest.files) {
    const file = found.get(name)
    if (!file) throw damaged(`${name} is missing`)
    if (file.bytes !== bytes || file.sha256 !== sha256) throw damaged(`${name} is not what the manifest says`)
    found.delete(name)
  }
  for (const name of found.keys()) throw damaged(`${name} is not in the manifest`)
  return manifest
}

async function unpack(entry: Entry, path: string, signal: AbortSignal): Promise<{ bytes: number; sha256: string }> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const hash = createHash('sha256')
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const part of entry.content) {
      signal.throwIfAborted()
      hash.update(part)
      await file.writeFile(part)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { bytes: entry.bytes, sha256: hash.digest('hex') }
}
