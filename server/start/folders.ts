import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import { AppError } from '../errors.ts'

/**
 * Makes a folder and those above it, for its owner alone; one that is there stays as it is. Throws what mkdir throws.
 * Node's own `recursive` tries for ever where a file system refuses with "no such file", as /proc does.
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (isFolder(path)) return
    const above = dirname(path)
    if (code !== 'ENOENT' || above === path || isFolder(above)) throw error
    makeFolder(above)
    // Another process may make it at the same time; what refuses here, refuses for good.
    if (isFolder(path)) return
    mkdirSync(path, { mode: 0o700 })
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Whether something is at a path. AppError unavailable where this user may not know: it may well be there. */
export function isThere(path: string): boolean {
  try {
    statSync(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw notAllowed(path, 'looked at', error)
  }
}

/** AppError unavailable for a file that this user may not read and write. */
export function assertUsable(path: string): void {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
  } catch (error) {
    throw notAllowed(path, 'read and written', error)
  }
}

/** Who runs this process, as a person would know them. */
export function thisUser(): string {
  const id = process.getuid?.()
  try {
    return `user ${userInfo().username}`
  } catch {
    // Containers have users without a name.
    return `user ${id ?? 'unknown'}`
  }
}

function notAllowed(path: string, how: string, cause: unknown): AppError {
  const { code } = cause as NodeJS.ErrnoException
  return new AppError(
    'unavailable',
    `${path} cannot be ${how} by ${thisUser()} (${code}). Run this as the user of the server, or let this one use it.`,
    { cause },
  )
}
