import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Document, MongoClient } from 'mongodb'
import { afterAll } from 'vitest'
import type { Need } from '../needs.ts'

const START_TIMEOUT_MS = 30_000
const uri = process.env.MONGODB_TEST_URI
const mongod = process.env.MONGOMS_SYSTEM_BINARY
const standIn =
  process.env.MONGO_STAND_IN ?? fileURLToPath(new URL('../../../shared/bin/mongo-stand-in.jar', import.meta.url))
const java = findJava()

/**
 * A server for tests: the one at MONGODB_TEST_URI (whose databases veritas_test_* are made and dropped), else the mongod
 * that MONGOMS_SYSTEM_BINARY names, else a stand-in for it that Java runs.
 */
export const mongo: Need = need()

/** The same, but for the server at MONGODB_TEST_URI: one that may be told to fail. */
export const ownMongo: Need = needOfOwn()

function need(): Need {
  return uri ? { path: uri, missing: null } : needOfOwn()
}

function needOfOwn(): Need {
  if (mongod) return { path: mongod, missing: existsSync(mongod) ? null : `no mongod at ${mongod}` }
  return needOfStandIn()
}

function needOfStandIn(): Need {
  const advice = 'set MONGODB_TEST_URI or MONGOMS_SYSTEM_BINARY'
  if (!existsSync(standIn)) return { path: standIn, missing: `no MongoDB: no stand-in at ${standIn}; ${advice}` }
  return { path: java, missing: existsSync(java) ? null : `no MongoDB: no Java for its stand-in; ${advice}` }
}

function findJava(): string {
  const folders = [
    process.env.JAVA_HOME && join(process.env.JAVA_HOME, 'bin'),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  const paths = folders.flatMap((folder) => (folder ? [join(folder, 'java')] : []))
  return paths.find((path) => existsSync(path)) ?? '/usr/bin/java'
}

export interface MongoServer {
  /** Whether it is the stand-in, which knows faults of its own. */
  isStandIn: boolean
  /** The address of a new database. */
  newDatabase(): string
  admin(command: Document): Promise<Document>
  close(): Promise<void>
}

let databases = 0
const closing: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Starts a server, at this port if one is given, or connects to the one there is. Closed after the test file. */
export async function startMongo({ own = false, port = 0 } = {}): Promise<MongoServer> {
  const started = uri && !own ? { url: uri } : await (mongod ? startMongod(port) : startStandIn(port))
  const client = new MongoClient(started.url, { serverSelectionTimeoutMS: START_TIMEOUT_MS })
  const names: string[] = []
  let closed: Promise<void> | undefined
  const close = async () => {
    if (!('child' in started)) for (const name of names) await client.db(name).dropDatabase()
    await client.close()
    if ('child' in started) await end(started.child)
    if ('folder' in started && started.folder) rmSync(started.folder, { recursive: true, force: true })
  }
  const server: MongoServer = {
    isStandIn: 'child' in started && !mongod,
    newDatabase() {
      databases += 1
      const name = `veritas_test_${process.pid}_${databases}`
      names.push(name)
      const [address = '', options] = started.url.split('?')
      return `${address.replace(/(?<=^mongodb(\+srv)?:\/\/[^/]+)\/.*$/, '')}/${name}${options ? `?${options}` : ''}`
    },
    admin: (command) => client.db('admin').command(command),
    close() {
      closed ??= close()
      return closed
    },
  }
  closing.push(() => server.close())
  return server
}

interface Started {
  url: string
  child: ChildProcess
  folder?: string
}

async function startStandIn(wanted: number): Promise<Started> {
  const child = spawn(java, ['-Xmx1g', '-jar', standIn, '--port', String(wanted)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await new Promise<string>((resolve, reject) => {
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const listening = /listening on 127\.0\.0\.1:(\d+)/.exec(output)
      if (listening) resolve(listening[1]!)
    })
    child.once('exit', (code) => reject(new Error(`the stand-in ended with ${code}: ${output}`)))
  })
  return { url: `mongodb://127.0.0.1:${port}`, child }
}

async function startMongod(wanted: number): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), 'veritas-mongod-'))
  const port = wanted || (await freePort())
  const settings = ['--bind_ip', '127.0.0.1', '--setParameter', 'enableTestCommands=1']
  const child = spawn(mongod!, ['--dbpath', folder, '--port', String(port), ...settings], { stdio: 'ignore' })
  const url = `mongodb://127.0.0.1:${port}`
  const client = new MongoClient(url, { serverSelectionTimeoutMS: START_TIMEOUT_MS })
  await client.db('admin').command({ ping: 1 })
  await client.close()
  return { url, child, folder }
}

/** A port that nobody listens on, for now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await Promise.race([exited, sleep(5000, undefined, { ref: false })])
  child.kill('SIGKILL')
  await exited
}
