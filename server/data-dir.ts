import { accessSync, constants, mkdirSync } from 'node:fs'
import { AppError } from './errors.ts'

/** Makes the folder of this server's data where it is not there. Throws AppError unavailable when it cannot be written. */
export function openDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    accessSync(dataDir, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new AppError(
      'unavailable',
      `DATA_DIR ${dataDir} cannot be written (${(error as NodeJS.ErrnoException).code}). Choose a folder this user may write to.`,
      { cause: error },
    )
  }
}
