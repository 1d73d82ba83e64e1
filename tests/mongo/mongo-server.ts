import { type Document, MongoClient } from 'mongodb'
import { afterAll } from 'vitest'
import { startMongoProcess } from './mongo-process.ts'
import { foreignUrl } from './need.ts'

const START_TIMEOUT_MS = 90_000

export interface MongoServer {
  /** Whether it is the stand-in, which knows faults of its own. */
  isStandIn: boolean
  /** The address of a new database. */
  newDatabase(): string
  admin(command: Document): Promise<Document>
  /** Ends it; its data is lost unless it is to keep it. */
  stop(): Promise<void>
  /** Starts it again on its port. */
  start(): Promise<void>
}

export interface MongoServerOptions {
  /** One of the test's own: it may be stopped, and told to fail. */
  own?: boolean
  port?: number
  /** What is stored survives its end. */
  keepsData?: boolean
}

let databases = 0
const closing: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Starts a server, or uses the one there is. Closed after the test file. */
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

/** The address with this database, whatever it names itself. */
function addressOf(url: string, database: string): string {
  const [address = '', options] = url.split('?')
  return `${address.replace(/(?<=^mongodb(\+srv)?:\/\/[^/]+)\/.*$/, '')}/${database}${options ? `?${options}` : ''}`
}
