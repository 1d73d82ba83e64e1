import { accessSync, constants } from 'node:fs'
import { AppError } from '../errors.ts'
import { makeFolder } from './folders.ts'
import { assertRestored } from './restoring.ts'

/** Makes the folder of this server's data where it is not there. AppError unavailable when it cannot be written, conflict when not all of it is there. */
export function openDataDir(dataDir: string): void {
  try {
    makeFolder(dataDir)
    accessSync(dataDir, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new AppError(
      'unavailable',
      `DATA_DIR ${dataDir} cannot be written (${(error as NodeJS.ErrnoException).code}). Choose a folder this user may write to.`,
      { cause: error },
    )
  }
  assertRestored(dataDir)
}
