import { existsSync, readFileSync, statSync } from 'node:fs'
import { AppError } from '../errors.ts'

/**
 * Settings of a file .env where this process was started, if there is one; under PM2 (ecosystem.config.cjs) those of its
 * own file before them. Throws AppError when one cannot be read.
 */
export function loadEnvFile(environment: NodeJS.ProcessEnv, names: readonly string[]): void {
  loadPm2Settings(environment, names)
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

/** What PM2 remembers of the shells that it was ever called from counts for nothing. */
function loadPm2Settings(environment: NodeJS.ProcessEnv, names: readonly string[]): void {
  const { VERITAS_SETTINGS_FILE: file, VERITAS_SETTINGS: own } = environment
  if (file === undefined || own === undefined) return
  const kept = new Set(own.split(' '))
  for (const name of names) if (!kept.has(name)) delete environment[name]
  if (!existsSync(file)) return
  try {
    const settings = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>
    for (const [name, value] of Object.entries(settings)) environment[name] ??= value
  } catch (error) {
    throw new AppError('invalid_input', `${file} cannot be read: run npm run start:pm2 again.`, { cause: error })
  }
}
