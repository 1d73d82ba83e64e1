import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { AppError } from '../errors.ts'
import { makeFolder } from '../start/folders.ts'
import type { Destination } from './destination.ts'

/** Begins with a dot, so that patterns like *.gz do not match what is not finished. */
const DRAFT = /^\..+\.draft$/

export function createFolderDestination(folder: string): Destination {
  const pathOf = (key: string) => join(folder, ...key.split('/'))

  return {
    place: folder,

    async read(key) {
      const path = pathOf(key)
      return (await sizeOf(path)) === null ? null : createReadStream(path)
    },

    bytes: (key) => sizeOf(pathOf(key)),

    async write(key, content, signal) {
      const path = pathOf(key)
      const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}.draft`)
      try {
        await makeFolders(folder, dirname(path))
        const file = await open(draft, 'wx', 0o600)
        try {
          for await (const part of content) {
            signal.throwIfAborted()
            await file.writeFile(part)
          }
          signal.throwIfAborted()
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(draft, path)
        await syncFolder(dirname(path))
      } catch (error) {
        await unlink(draft).catch(() => {})
        throw naming(error, path)
      }
    },

    async remove(key) {
      const path = pathOf(key)
      if (await gone(unlink(path))) return
      await syncFolder(dirname(path))
    },

    async tidy(prefix) {
      const path = pathOf(prefix)
      const names = await readdir(path).catch(() => [])
      for (const name of names) if (DRAFT.test(name)) await gone(unlink(join(path, name)))
    },

    close() {},
  }
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    const found = await stat(path)
    return found.isFile() ? found.size : null
  } catch (error) {
    if (isMissing(error)) return null
    throw naming(error, path)
  }
}

/** True when the file was not there. */
async function gone(removal: Promise<void>): Promise<boolean> {
  try {
    await removal
    return false
  } catch (error) {
    if (isMissing(error)) return true
    throw error
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** Folders that are made must survive a power cut as their files do. */
async function makeFolders(root: string, path: string): Promise<void> {
  makeFolder(path)
  const parts = relative(root, path).split('/')
  for (let depth = 0; depth < parts.length; depth++) await syncFolder(join(root, ...parts.slice(0, depth)))
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function naming(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (error instanceof AppError || typeof code !== 'string' || !('syscall' in (error as object))) return error
  return new AppError('unavailable', `${path} cannot be read or written (${code}).`, { cause: error })
}
