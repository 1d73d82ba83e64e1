import { type Config, readConfig, settingNames } from '../server/config.ts'
import { AppError } from '../server/errors.ts'
import { loadEnvFile } from '../server/start/env-file.ts'
import { assertUsable, isThere, thisUser } from '../server/start/folders.ts'
import { assertRestored } from '../server/start/restoring.ts'
import { openStore } from '../server/store/open.ts'
import type { Store } from '../server/store/store.ts'
import { complain, printLines } from './print.ts'
import { endWithReader, type Help, helpText } from './terminal.mjs'

/** The settings of a server started in this folder: environment and .env, overridden by command-line options. */
export function settings(dataDir?: string, others: Record<string, string> = {}): Config {
  loadEnvFile(process.env, settingNames)
  return readConfig({ ...process.env, ...(dataDir !== undefined && { DATA_DIR: dataDir }), ...others })
}

/** The address of the store, without username and password. */
export function storeName({ mongoUrl, storePath }: Pick<Config, 'mongoUrl' | 'storePath'>): string {
  return mongoUrl === null ? storePath : addressWithoutLogin(mongoUrl)
}

export function addressWithoutLogin(url: string): string {
  return url.replace(/\/\/.*@/s, '//').replace(/\?.*$/s, '')
}

/**
 * Opens an existing store, runs `work` and closes it; a server may be using it at the same time. Prints the store's
 * address on standard error: without the server's settings, a command may work on another store.
 */
export async function withStore<T>(config: Config, work: (store: Store) => Promise<T>): Promise<T> {
  await assertStore(config)
  complain(`Store: ${storeName(config)}`)
  const store = await openStore(config)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** Throws AppError not_found if no server has created the store yet, since opening it would create one. */
async function assertStore(config: Config): Promise<void> {
  const { mongoUrl, storePath, dataDir } = config
  if (mongoUrl === null) {
    if (!isThere(storePath))
      throw new AppError('not_found', `There is no store at ${storePath}. Start the server once, or set DATA_DIR.`)
    assertUsable(storePath)
  } else {
    const { hasMongoStore } = await import('../server/store/mongo/way-back.ts')
    if (!(await hasMongoStore(mongoUrl)))
      throw new AppError(
        'not_found',
        `There is no store at ${storeName(config)}. Start the server once, or set STORE_URL to its database.`,
      )
  }
  assertRestored(dataDir)
}

/** Throws AppError not_found if the data folder does not exist. */
export function assertDataDir({ dataDir }: Config): void {
  if (!isThere(dataDir))
    throw new AppError('not_found', `There is no folder ${dataDir}. Start the server once, or set DATA_DIR.`)
}

const exitCodes = {
  0: 'done',
  1: 'it failed: a line says why',
  2: 'a wrong option or setting: a line says which',
  141: 'nobody read any more what it printed, as after | head',
}

/**
 * Runs a command. An expected error is printed as one line. The exit code is 1 after an error, 2 for wrong options or
 * settings. `exits` overrides the descriptions of the exit codes in --help.
 */
export async function command(
  { exits, ...help }: Omit<Help, 'exits'> & Partial<Pick<Help, 'exits'>>,
  work: () => Promise<void>,
): Promise<void> {
  endWithReader()
  if (process.argv.includes('--help')) {
    printLines(helpText({ ...help, exits: { ...exitCodes, ...exits } }))
    return
  }
  try {
    await work()
  } catch (error) {
    complain(tellOf(error))
    const isUsage = isOption(error) || (error instanceof AppError && error.code === 'invalid_input')
    process.exitCode = isUsage ? 2 : 1
  }
}

function isOption(error: unknown): error is TypeError {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

function tellOf(error: unknown): string {
  if (error instanceof AppError) return error.message
  // Some of Node's messages end with a period and some do not.
  if (isOption(error)) return `${error.message.replace(/\n/g, ' ').replace(/\.?\s*$/, '.')} See --help.`
  const { code, syscall, path } = error as NodeJS.ErrnoException
  // System errors already say which call failed on which file.
  if (syscall !== undefined && path !== undefined)
    return code === 'EACCES' || code === 'EPERM'
      ? `${path}: ${thisUser()} may not use it (${code}). Run this as the user of the server.`
      : `${path}: ${(error as Error).message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
