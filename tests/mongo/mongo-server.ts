import { type Document, MongoClient } from 'mongodb'
import { afterAll } from 'vitest'
import { startMongoProcess } from './mongo-process.ts'
import { foreignUrl } from './need.ts'

const START_TIMEOUT_MS = 90_000

export interface MongoServer {
  /** True for the stand-in, which can also simulate faults. */
  isStandIn: boolean
  /** Returns the address of a new database. */
  newDatabase(): string
  admin(command: Document): Promise<Document>
  /** Stops it. Its data is lost unless `keepsData` was set. */
  stop(): Promise<void>
  /** Starts it again on the same port. */
  start(): Promise<void>
}

export interface MongoServerOptions {
  /** Start a separate server for this test, which may be stopped and told to fail. */
  own?: boolean
  port?: number
  /** Data survives a stop. */
  keepsData?: boolean
}

let databases = 0
const closing: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Starts a server, or uses the one at MONGODB_TEST_URI. Closed after the test file. */
export async function startMongo({ own = false, ...options }: MongoServerOptions = {}): Promise<MongoServer> {
  if (foreignUrl && !own) return foreignServer(foreignUrl)
  const { url, isStandIn, admin, start, stop, close } = await startMongoProcess(options)
  closing.push(() => close())
  return { isStandIn, admin, start, stop, newDatabase: () => addressOf(url, databaseName()) }
}

function foreignServer(url: string): MongoServer {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: START_TIMEOUT_MS })
  const names: string[] = []
  closing.push(async () => {
    for (const name of names) await client.db(name).dropDatabase()
    await client.close()
  })
  const notOurs = async () => {
    throw new Error('the server at MONGODB_TEST_URI is not ours to stop')
  }
  return {
    isStandIn: false,
    admin: (command) => client.db('admin').command(command),
    start: notOurs,
    stop: notOurs,
    newDatabase() {
      const name = databaseName()
      names.push(name)
      return addressOf(url, name)
    },
  }
}

function databaseName(): string {
  databases += 1
  return `veritas_test_${process.pid}_${databases}`
}

/** The address with its database name replaced by this one. */
function addressOf(url: string, database: string): string {
  const [address = '', options] = url.split('?')
  return `${address.replace(/(?<=^mongodb(\+srv)?:\/\/[^/]+)\/.*$/, '')}/${database}${options ? `?${options}` : ''}`
}
