import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Document, MongoClient } from 'mongodb'
import { end } from '../../scripts/launch.ts'
import { freePort } from '../free-port.ts'
import { java, mongod, standIn } from './need.ts'

const ANSWER_TIMEOUT_MS = 90_000

/** A MongoDB process for one test, which can be stopped, killed and restarted on the same port. */
export interface MongoProcess {
  /** Its address, without a database name. */
  readonly url: string
  /** True for the stand-in, which can also simulate faults. */
  readonly isStandIn: boolean
  /** Starts it and resolves when it listens. */
  start(): Promise<void>
  /** Stops it. Data is kept if `keepsData` was set. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Suspends the process, with its connections open, until thaw(). */
  freeze(): void
  thaw(): void
  admin(command: Document): Promise<Document>
  /** Folder of its data, if it keeps any. */
  readonly folder: string
  /** Stops it and deletes its data. */
  close(options?: { keepData?: boolean }): Promise<void>
}

export interface MongoProcessOptions {
  port?: number
  /** Confirmed writes survive a stop or kill. A real mongod always keeps them. */
  keepsData?: boolean
}

/** Starts the mongod at MONGOMS_SYSTEM_BINARY, or else the stand-in. */
export async function startMongoProcess(options: MongoProcessOptions = {}): Promise<MongoProcess> {
  const port = options.port || (await freePort())
  const url = `mongodb://127.0.0.1:${port}`
  const folder = mkdtempSync(join(tmpdir(), 'veritas-mongo-'))
  const { start, stop, signal } = mongod
    ? mongodIn(mongod, folder, port)
    : standInIn(options.keepsData ? folder : null, port)
  let client: MongoClient | null = null
  const admin = async (command: Document) => {
    client ??= new MongoClient(url, { serverSelectionTimeoutMS: ANSWER_TIMEOUT_MS })
    return client.db('admin').command(command)
  }
  await start()
  // The first answer after a start is slow, so get it over with.
  await admin({ ping: 1 })
  return {
    url,
    isStandIn: !mongod,
    folder,
    start,
    stop,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    admin,
    async close({ keepData = false } = {}) {
      await client?.close()
      await stop()
      if (!keepData) rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface Lives extends Pick<MongoProcess, 'start' | 'stop'> {
  signal(signal: NodeJS.Signals): void
}

function standInIn(folder: string | null, port: number): Lives {
  // Like a mongod, sync confirmed writes to disk.
  const data = folder === null ? [] : ['--data', join(folder, 'data'), '--fsync']
  const args = ['-Xmx2g', '-jar', standIn, '--port', String(port), ...data]
  let child: ChildProcess | null = null
  return {
    async start() {
      child = spawn(java, args, { stdio: ['ignore', 'pipe', 'pipe'] })
      await listening(child)
    },
    async stop(signal) {
      if (child) await end(child, signal)
      child = null
    },
    signal: (signal) => void child?.kill(signal),
  }
}

function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text
        if (/listening on 127\.0\.0\.1:\d+/.test(output)) resolve()
      })
    child.once('exit', (code) => reject(new Error(`the stand-in for MongoDB ended with ${code}: ${output}`)))
  })
}

function mongodIn(systemBinary: string, folder: string, port: number): Lives {
  const args = ['--setParameter', 'enableTestCommands=1']
  const instance = { ip: '127.0.0.1', port, dbPath: folder, storageEngine: 'wiredTiger' as const, args }
  let server: import('mongodb-memory-server-core').MongoMemoryServer | null = null
  return {
    async start() {
      // Never download: without a local mongod these tests are skipped.
      process.env.MONGOMS_RUNTIME_DOWNLOAD = 'false'
      const { MongoMemoryServer } = await import('mongodb-memory-server-core')
      server = await MongoMemoryServer.create({ binary: { systemBinary }, instance })
    },
    async stop(signal = 'SIGTERM') {
      const running = server
      server = null
      const child = running?.instanceInfo?.instance.mongodProcess
      if (child && signal === 'SIGKILL') {
        const exited = once(child, 'exit')
        child.kill(signal)
        await exited
      }
      await running?.stop({ doCleanup: false })
    },
    signal: (signal) => void server?.instanceInfo?.instance.mongodProcess?.kill(signal),
  }
}
