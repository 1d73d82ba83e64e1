import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { AppError } from '../../errors.ts'
import { frameOutcome } from '../frame-outcome.ts'
import type { OnProgress } from '../steps.ts'
import type { BatchOutcome } from '../store.ts'
import { Database, storeError } from './database.ts'
import { openMigrated } from './migrate.ts'
import { auditOperations, readOperations, writeOperations } from './operations.ts'
import { slowError } from './patience.ts'
import { Reins } from './reins.ts'
import type { Reply, Request, WorkerData } from './thread.ts'
import { type DecodeFrame, decodeFrames, type PackedFrames } from './write/frames.ts'
import { insertBatches } from './write/insert-batch.ts'
import type { PackedBatch } from './write/pack.ts'

const READER_CACHE_BYTES = 16 * 1024 * 1024

/** The thread that owns one connection: the writer's is the only one that changes the file. */
const { role, path, cacheBytes = READER_CACHE_BYTES, reins: shared } = workerData as WorkerData
const reins = new Reins(shared)
const port = parentPort
if (!port) throw new Error('worker.ts runs as a worker thread')
const reply = (message: Reply) => port.postMessage(message)

const MAX_GROUP = 4
/** A log that begins anew gives back what is more, so that its length tells what is in it. */
const LOG_LIMIT_BYTES = 16 * 1024 * 1024

/** Only the writer's thread reads frames; the readers need not load what that takes. */
const decodeFrame: DecodeFrame | null =
  role === 'writer' ? (await import('../../ingest/frame.ts')).decodeFrameAtOnce : null

let toldAt = 0
try {
  const db = role === 'writer' ? await openMigrated(path, { onProgress: tellProgress }) : await Database.open(path)
  if (role === 'writer') {
    // The log is brought into the file by another thread: see log-bound.ts.
    db.exec(`PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = ${LOG_LIMIT_BYTES}`)
  } else if (role === 'checkpointer') db.exec('PRAGMA synchronous = FULL')
  else db.exec('PRAGMA query_only = ON')
  db.exec(`PRAGMA cache_size = -${Math.ceil(cacheBytes / 1024)}; PRAGMA temp_store = MEMORY`)
  // The state is that of the first look into the file.
  if (role === 'snapshot') db.exec('BEGIN; SELECT month FROM months LIMIT 1')
  db.heed(reins)
  port.on('message', (request: Request) => {
    if (reins.work()) answerAll(db, request)
    else end(db)
    reins.rest()
  })
  reply({ id: 0, answer: null })
} catch (error) {
  reply({ id: 0, error: toReply(error) })
}
reins.rest()

/** Once a second is enough for whoever waits. */
function tellProgress(progress: Parameters<OnProgress>[0]): void {
  if (Date.now() - toldAt < 1000 && progress.done < progress.of) return
  toldAt = Date.now()
  reply({ id: 0, progress })
}

/** Answers the request and, with a batch, the batches that wait behind it. */
function answerAll(db: Database, first: Request): void {
  let next: Request | undefined = first
  while (next) {
    const batches: Request[] = []
    while (next && isBatch(next) && batches.length < MAX_GROUP) {
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

function isBatch({ name }: Request): boolean {
  return name === 'insertBatch' || name === 'insertFrames'
}

/** One of the batches that are written together: its columns, and the answer that its outcome makes. */
interface Insertion {
  id: number
  batch: PackedBatch
  answerOf: (outcome: BatchOutcome) => unknown
}

function insertionOf({ id, name, input }: Request): Insertion {
  if (name === 'insertBatch') return { id, batch: input as PackedBatch, answerOf: (outcome) => outcome }
  const decoded = decodeFrames(input as PackedFrames, decodeFrame!)
  return { id, batch: decoded.batch, answerOf: (outcome) => frameOutcome(decoded, outcome) }
}

function answerBatches(db: Database, requests: Request[]): void {
  const insertions: Insertion[] = []
  for (const request of requests) {
    try {
      insertions.push(insertionOf(request))
    } catch (error) {
      reply({ id: request.id, error: toReply(error) })
    }
  }
  if (insertions.length > 1 && insertAll(db, insertions)) return
  for (const insertion of insertions) {
    try {
      const [outcome] = insertBatches(db, [insertion.batch])
      reply({ id: insertion.id, answer: insertion.answerOf(outcome!) })
    } catch (error) {
      reply({ id: insertion.id, error: toReply(error) })
    }
  }
}

/** False when none of them is in; whose fault it was shows when each is tried for itself. */
function insertAll(db: Database, insertions: Insertion[]): boolean {
  try {
    const outcomes = insertBatches(
      db,
      insertions.map(({ batch }) => batch),
    )
    for (const [index, { id, answerOf }] of insertions.entries()) reply({ id, answer: answerOf(outcomes[index]!) })
    return true
  } catch {
    return false
  }
}

function answer(db: Database, { id, name, input, timeoutMs }: Request): void {
  try {
    if (name === 'close') {
      close(db)
      port?.close()
      reply({ id, answer: null })
    } else {
      const work = () => run(db, name, input)
      const found = timeoutMs === undefined || role === 'writer' ? work() : inTime(db, timeoutMs, work)
      reply({ id, answer: found ?? null })
    }
  } catch (error) {
    reply({ id, error: toReply(error) })
  }
}

/** A little less than whoever asks waits, so that the thread lives on. */
function inTime(db: Database, timeoutMs: number, work: () => unknown): unknown {
  try {
    return db.within(timeoutMs * 0.9, work)
  } catch (error) {
    throw error instanceof AppError && error.code === 'unavailable' ? slowError(timeoutMs) : error
  }
}

type Operation = (db: Database, input: unknown) => unknown

function run(db: Database, name: string, input: unknown): unknown {
  const isWriting = role === 'writer' || role === 'checkpointer'
  const inSteps = (auditOperations as unknown as Record<string, Operation>)[name]
  if (role === 'reader' && inSteps) return inSteps(db, input)
  const operations = (isWriting ? writeOperations : readOperations) as unknown as Record<string, Operation>
  const operation = operations[name]
  if (!operation) throw new Error(`no operation ${name}`)
  return role === 'reader' ? db.read(() => operation(db, input)) : operation(db, input)
}

/** Nobody waits for an answer. */
function end(db: Database): void {
  db.close()
  port?.close()
}

/** The writer closes last, when nobody reads any more: the log goes into the file and is emptied. */
function close(db: Database): void {
  if (role === 'writer') db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
}

function toReply(error: unknown): Reply['error'] {
  const { code, message, field, isForClients, cause } = storeError(error)
  const reason = cause instanceof Error ? (cause.stack ?? cause.message) : undefined
  return { code, message, field, isForClients, cause: reason }
}
