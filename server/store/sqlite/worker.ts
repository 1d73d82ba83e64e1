import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { Database, storeError } from './database.ts'
import { migrate } from './migrate.ts'
import { readOperations, writeOperations } from './operations.ts'
import type { Reply, Request, WorkerData } from './thread.ts'
import { insertBatches } from './write/insert-batch.ts'
import type { PackedBatch } from './write/pack.ts'

/** The thread that owns one connection: the writer's is the only one that changes the file. */
const { role, path } = workerData as WorkerData
const port = parentPort
if (!port) throw new Error('worker.ts runs as a worker thread')
const reply = (message: Reply) => port.postMessage(message)

const CACHE_KIB = { writer: 128_000, reader: 16_000 }
const MAX_GROUP = 4
const CHECKPOINT_PAGES = 16_000

try {
  const db = await Database.open(path)
  if (role === 'writer') {
    migrate(db)
    db.exec(`PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  } else db.exec('PRAGMA query_only = ON')
  db.exec(`PRAGMA cache_size = -${CACHE_KIB[role]}; PRAGMA temp_store = MEMORY`)
  port.on('message', (request: Request) => answerAll(db, request))
  reply({ id: 0, answer: null })
} catch (error) {
  reply({ id: 0, error: toReply(error) })
}

/** Answers the request and, with a batch, the batches that wait behind it. */
function answerAll(db: Database, first: Request): void {
  let next: Request | undefined = first
  while (next) {
    const batches: Request[] = []
    while (next?.name === 'insertBatch' && batches.length < MAX_GROUP) {
      batches.push(next)
      next = receiveMessageOnPort(port!)?.message as Request | undefined
    }
    if (batches.length > 0) answerBatches(db, batches)
    else if (next) {
      answer(db, next)
      next = undefined
    }
  }
}

function answerBatches(db: Database, batches: Request[]): void {
  try {
    const inputs = batches.map((request) => request.input as PackedBatch)
    const outcomes = batches.length > 1 ? insertBatches(db, inputs) : []
    for (const [index, answer] of outcomes.entries()) reply({ id: batches[index]!.id, answer })
    if (outcomes.length > 0) return
  } catch {
    // None of them is in; whose fault it was shows when each is tried for itself.
  }
  for (const request of batches) answer(db, request)
}

function answer(db: Database, { id, name, input }: Request): void {
  try {
    if (name === 'close') {
      close(db)
      port?.close()
      reply({ id, answer: null })
    } else reply({ id, answer: run(db, name, input) ?? null })
  } catch (error) {
    reply({ id, error: toReply(error) })
  }
}

type Operation = (db: Database, input: unknown) => unknown

function run(db: Database, name: string, input: unknown): unknown {
  const operations = (role === 'writer' ? writeOperations : readOperations) as unknown as Record<string, Operation>
  const operation = operations[name]
  if (!operation) throw new Error(`no operation ${name}`)
  return role === 'writer' ? operation(db, input) : db.read(() => operation(db, input))
}

/** The writer closes last, when nobody reads any more: the log goes into the file and is emptied. */
function close(db: Database): void {
  if (role === 'writer') db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
}

function toReply(error: unknown): Reply['error'] {
  const { code, message, field, cause } = storeError(error)
  return { code, message, field, cause: cause instanceof Error ? (cause.stack ?? cause.message) : undefined }
}
