import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MongoClient } from 'mongodb'
import { AppError } from '../../server/errors.ts'
import { end } from '../launch.ts'

const standIn =
  process.env.MONGO_STAND_IN ?? fileURLToPath(new URL('../../../shared/bin/mongo-stand-in.jar', import.meta.url))

const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin/java') : 'java'
export const isStandIn = !process.env.MONGODB_TEST_URI

/** A MongoDB server to measure. `pid` is null for a server not started here, whose CPU time is unknown. */
export interface MongoDatabase {
  pid: number | null
  /** The address of a new database, which is dropped at the end. */
  newUrl(): string
  close(): Promise<void>
}

/** The server at MONGODB_TEST_URI, or else the stand-in with this heap. Throws AppError invalid_input without both. */
export async function startMongoDatabase(heapMb: number): Promise<MongoDatabase> {
  const given = process.env.MONGODB_TEST_URI
  if (given) return givenDatabase(given)
  if (!existsSync(standIn))
    throw new AppError('invalid_input', `No MongoDB: set MONGODB_TEST_URI, or MONGO_STAND_IN (no file at ${standIn}).`)
  const child = spawn(java, [`-Xmx${heapMb}m`, '-jar', standIn, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await listeningPort(child)
  let databases = 0
  return {
    pid: child.pid!,
    newUrl: () => `mongodb://127.0.0.1:${port}/veritas_bench_${++databases}`,
    close: async () => void (await end(child)),
  }
}

function givenDatabase(given: string): MongoDatabase {
  const [address = '', options] = given.split('?')
  const names: string[] = []
  return {
    pid: null,
    newUrl() {
      const name = `veritas_bench_${process.pid}_${names.length + 1}`
      names.push(name)
      return `${address.replace(/(?<=^mongodb(\+srv)?:\/\/[^/]+)\/.*$/, '')}/${name}${options ? `?${options}` : ''}`
    },
    async close() {
      const client = await new MongoClient(given).connect()
      for (const name of names) await client.db(name).dropDatabase()
      await client.close()
    },
  }
}

function listeningPort(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const listening = /listening on 127\.0\.0\.1:(\d+)/.exec(output)
      if (listening) resolve(listening[1]!)
    })
    child.once('error', (cause) => reject(new AppError('invalid_input', 'Java is needed for the stand-in.', { cause })))
    child.once('exit', (code) => reject(new Error(`The stand-in ended with ${code}: ${output}`)))
  })
}
