import { type Db, MongoClient, type MongoClientOptions, MongoError } from 'mongodb'
import { type OnCommand, watchCommands } from './commands.ts'
import { unavailable, wrongAddress } from './failure.ts'
import { createLastingDb } from './lasting.ts'

/** A connection that is silent for this long while an answer is due has failed. */
const SILENCE_MS = 20_000
/** A call may be sent a second time by the driver, and wait for a server and a connection each time. */
const CALLS_TO_SILENCE = 3

/**
 * The same for what takes as long as a store is large: steps to a newer format, copies, indexes of what is there. A
 * connection that is lost is found by TCP long before.
 */
const LONG_SILENCE_MS = 12 * 3_600_000

/** A question is given up by the server after this. */
export const READ_TIMEOUT_MS = 5000

/**
 * Nothing may wait for ever, and most of the driver's own limits are infinite. A write counts when a majority has it on
 * its disk, and what is read is what the primary has, whatever the address says.
 */
export const limits: MongoClientOptions = {
  appName: 'veritas',
  serverSelectionTimeoutMS: 3000,
  connectTimeoutMS: 3000,
  waitQueueTimeoutMS: 5000,
  maxPoolSize: 10,
  readPreference: 'primary',
  readConcernLevel: 'local',
  retryReads: true,
  retryWrites: true,
  writeConcern: { w: 'majority', j: true, wtimeoutMS: 10_000 },
}

/** The same for such commands; members of a replica set that are behind are waited for as long. */
export const longLimits: MongoClientOptions = {
  ...limits,
  socketTimeoutMS: LONG_SILENCE_MS,
  writeConcern: { ...limits.writeConcern, wtimeoutMS: LONG_SILENCE_MS },
}

/** Connections to one database. Questions have a pool of their own: batches must not wait behind them, nor they there. */
export interface Connections {
  writing: Db
  asking: Db
  /** For commands that may rightly take hours. Connects when it is asked for the first time. */
  long(): Promise<Db>
  /** The hosts, without a password. */
  place: string
  /** To be called before anything else until it resolves: a driver whose first connection failed stays closed. */
  connect(): Promise<void>
  close(): Promise<void>
}

/** Connects to nothing yet. AppError invalid_input for an address that is none. */
export function createConnections(url: string, onCommand?: OnCommand, ownSilenceMs?: number): Connections {
  try {
    const database = databaseName(url)
    const own = { ...limits, ...(ownSilenceMs !== undefined && longerWaits(ownSilenceMs)) }
    const lasting = (socketTimeoutMS: number, options = own) =>
      createLastingDb({
        database,
        callTimeoutMs: CALLS_TO_SILENCE * socketTimeoutMS,
        open() {
          const client = new MongoClient(url, {
            ...options,
            socketTimeoutMS,
            monitorCommands: onCommand !== undefined,
          })
          if (onCommand) watchCommands(client, onCommand)
          return client
        },
      })
    const writing = lasting(ownSilenceMs ?? SILENCE_MS)
    const asking = lasting(ownSilenceMs ?? READ_TIMEOUT_MS + 1000)
    const long = lasting(LONG_SILENCE_MS, longLimits)
    return {
      writing: writing.db,
      asking: asking.db,
      async long() {
        await long.connect()
        return long.db
      },
      place: `${hosts(url)}/${database}`,
      connect: async () => {
        await Promise.all([writing.connect(), asking.connect()])
      },
      close: async () => {
        await Promise.allSettled([writing.close(), asking.close(), long.close()])
      },
    }
  } catch (cause) {
    throw wrongAddress(url, cause)
  }
}

/** Where an answer may take longer than usual, so may all that comes before it. */
function longerWaits(ms: number): MongoClientOptions {
  const { serverSelectionTimeoutMS = 0, connectTimeoutMS = 0, waitQueueTimeoutMS = 0 } = limits
  return {
    serverSelectionTimeoutMS: Math.max(ms, serverSelectionTimeoutMS),
    connectTimeoutMS: Math.max(ms, connectTimeoutMS),
    waitQueueTimeoutMS: Math.max(ms, waitQueueTimeoutMS),
  }
}

/** The database that the address names; veritas if it names none. */
export function databaseName(url: string): string {
  return decodeURIComponent(/^mongodb(?:\+srv)?:\/\/[^/?]+\/([^?]+)/.exec(url)?.[1] ?? 'veritas')
}

export function hosts(url: string): string {
  return /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?([^/?]+)/.exec(url)?.[1] ?? ''
}

/** Runs a call of the driver; whatever goes wrong there is the store being away, and may be tried again. */
export async function reaching<T>(place: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw isOfDriver(error) ? unavailable(place, error) : error
  }
}

function isOfDriver(error: unknown): boolean {
  // A name that DNS does not know comes as an error of the system.
  return error instanceof MongoError || (error instanceof Error && 'syscall' in error)
}

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoError && error.code === DUPLICATE_KEY
}

export const DUPLICATE_KEY = 11000
