import { existsSync, statSync } from 'node:fs'
import { AppError } from './errors.ts'

/** Settings of a file .env where this process was started, if there is one. Throws AppError when it cannot be read. */
export function loadEnvFile(): void {
  if (!existsSync('.env')) return
  // Other tools keep folders of that name; whoever meant a file is told.
  if (statSync('.env').isDirectory()) {
    console.error('Veritas: .env is a folder, so no settings are read from it.')
    return
  }
  try {
    process.loadEnvFile('.env')
  } catch (error) {
    throw new AppError('invalid_input', `.env cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
