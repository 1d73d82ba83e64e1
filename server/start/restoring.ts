import { join } from 'node:path'
import { AppError } from '../errors.ts'
import { isThere } from './folders.ts'

/** Stands in a data folder for as long as a restore into it has begun and not ended. */
export const restoringMark = (dataDir: string): string => join(dataDir, 'restoring')

/**
 * AppError conflict for a data folder that a restore left half-way: a server would begin with an empty store there, and
 * take the events of the log for all that there ever were.
 */
export function assertRestored(dataDir: string): void {
  if (isThere(restoringMark(dataDir)))
    throw new AppError(
      'conflict',
      `A restore into ${dataDir} was cut short, so not all of it is there: run npm run restore again with --force.`,
    )
}
