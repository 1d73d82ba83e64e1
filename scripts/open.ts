import { existsSync } from 'node:fs'
import { type Config, readConfig, settingNames } from '../server/config.ts'
import { loadEnvFile } from '../server/env-file.ts'
import { AppError } from '../server/errors.ts'
import { assertRestored } from '../server/restoring.ts'
import { openStore } from '../server/store/open.ts'
import type { Store } from '../server/store/store.ts'

/** The settings a server started here would have: the environment and .env, with what options say in their place. */
export function settings(dataDir?: string, others: Record<string, string> = {}): Config {
  loadEnvFile(process.env, settingNames)
  return readConfig({ ...process.env, ...(dataDir !== undefined && { DATA_DIR: dataDir }), ...others })
}

/** Works on a server's store, which must exist, and closes it. A server may be running on it at the same time. */
export async function withStore<T>(config: Config, work: (store: Store) => Promise<T>): Promise<T> {
  if (config.mongoUrl === null && !existsSync(config.storePath))
    throw new AppError('not_found', `There is no store at ${config.storePath}. Start the server once, or set DATA_DIR.`)
  assertRestored(config.dataDir)
  const store = await openStore(config)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** Runs a command-line verb: an expected failure is one line; exit code 1, or `badUsage` for wrong options. */
export async function command(help: string, work: () => Promise<void>, { badUsage = 1 } = {}): Promise<void> {
  if (process.argv.includes('--help')) {
    console.log(help)
    return
  }
  try {
    await work()
  } catch (error) {
    const isOption = error instanceof TypeError && 'code' in error
    console.error(isOption || error instanceof AppError ? error.message : error)
    const isUsage = isOption || (error instanceof AppError && error.code === 'invalid_input')
    process.exitCode = isUsage ? badUsage : 1
  }
}
