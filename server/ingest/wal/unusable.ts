import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.ts'

/**
 * What the file system said against opening the log, for whoever starts the server: which name is in the way and what
 * to do about it. Other errors come back as they are.
 */
export async function unusable(error: unknown, dir: string): Promise<unknown> {
  const { code, path } = error as NodeJS.ErrnoException
  if (error instanceof AppError || typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) return error
  // Reading a folder as a file, Node does not say which.
  const place = path ?? (code === 'EISDIR' ? await folderInSlot(dir) : null) ?? dir
  const { message } = error as Error
  return new AppError(
    'unavailable',
    `The log cannot be opened because of ${place} (${message}). Move it away if it is no part of the log, or choose another WAL_DIR.`,
    { cause: error },
  )
}

/** A folder where a slot has only files. */
async function folderInSlot(dir: string): Promise<string | null> {
  for (const slot of await readdir(dir, { withFileTypes: true })) {
    if (!slot.isDirectory()) continue
    for (const entry of await readdir(join(dir, slot.name), { withFileTypes: true }))
      if (entry.isDirectory()) return join(dir, slot.name, entry.name)
  }
  return null
}
