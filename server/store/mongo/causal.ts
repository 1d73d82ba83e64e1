import { type ClientSession, type Collection, type Db, type Document, MongoServerError, type Timestamp } from 'mongodb'
import { AppError } from '../../errors.ts'
import type { Collections } from './collections.ts'
import { readHead } from './write/head.ts'

/** Collections that see what was written up to an instant of the cluster, whichever member and router they ask. */
export interface Causal {
  rows: Collections
  /** The latest instant that any of their answers named, the one they began with included; null where servers tell none. */
  time(): Timestamp | null
  end(): Promise<void>
}

/** A read that waits for an instant longer than this asks a member that does not get there. */
const READ_TIMEOUT_MS = 15_000

const optionsAt: Partial<Record<string, number>> = {
  ...{ find: 1, findOne: 1, aggregate: 1, countDocuments: 1 },
  ...{ insertOne: 1, insertMany: 1, bulkWrite: 1, deleteOne: 1, deleteMany: 1 },
  ...{ updateOne: 2, updateMany: 2, replaceOne: 2, findOneAndUpdate: 2 },
}
const reads = new Set(['find', 'findOne', 'aggregate', 'countDocuments'])

/**
 * A shard may have two members that take themselves for its primary: the one that was, and the one that a majority
 * elected. What is read of the first is old, and a router may ask it for as long as it has not heard of the other. It
 * cannot answer for an instant, though, that a majority has reached without it. So every read here is one of what a
 * majority has, after the instant of the last answer.
 *
 * Reads share a session, each write has its own: the writes of one session would have to arrive in their order.
 */
export function causal(rows: Collections, since: Timestamp | null | undefined): Causal {
  const session = clientOf(rows).startSession({ causalConsistency: true })
  if (since) session.advanceOperationTime(since)

  function note(own: ClientSession): void {
    if (own.operationTime) session.advanceOperationTime(own.operationTime)
  }

  async function written<T>(write: (own: ClientSession) => Promise<T>): Promise<T> {
    const own = clientOf(rows).startSession({ causalConsistency: true })
    try {
      return await write(own)
    } finally {
      note(own)
      await own.endSession()
    }
  }

  function of<Row extends Document>(collection: Collection<Row>): Collection<Row> {
    const db = {
      command: (command: Document) => written((own) => collection.db.command(command, { session: own })),
    }
    return new Proxy(collection, {
      get(target, name) {
        if (name === 'db') return db satisfies Pick<Db, 'command'>
        const member: unknown = Reflect.get(target, name, target)
        const at = optionsAt[String(name)]
        if (typeof member !== 'function') return member
        if (at === undefined) return member.bind(target)
        const call = (args: unknown[], options: object): unknown => {
          const all = [...args, ...new Array<undefined>(Math.max(0, at - args.length))]
          all[at] = { ...(args[at] as object | undefined), ...options }
          return member.apply(target, all)
        }
        if (!reads.has(String(name)))
          return (...args: unknown[]) => written((own) => call(args, { session: own }) as Promise<unknown>)
        return (...args: unknown[]) => {
          const { maxTimeMS = READ_TIMEOUT_MS } = (args[at] ?? {}) as { maxTimeMS?: number }
          return call(args, { session, readConcern: { level: 'majority' }, maxTimeMS })
        }
      },
    })
  }

  const own = Object.entries(rows).map(([name, value]) =>
    typeof value === 'function'
      ? [name, (month: number) => of(rows.events(month) as unknown as Collection)]
      : [name, of(value as unknown as Collection)],
  )
  return {
    rows: Object.fromEntries(own) as Collections,
    time: () => session.operationTime ?? null,
    end: () => session.endSession(),
  }
}

/** Runs something on collections that have all folds which the head knows of. */
export async function afterFolds<T>(rows: Collections, work: (rows: Collections) => Promise<T>): Promise<T> {
  const head = await readHead(rows)
  if (!head.time) return work(rows)
  const own = causal(rows, head.time)
  try {
    return await work(own.rows)
  } finally {
    await own.end()
  }
}

/** The server does not have, or does not have any more, what a majority had at one instant. */
const NO_SNAPSHOT = new Set<unknown>([20, 72, 115, 123, 239, 246])

/**
 * Runs something on one state of all collections, as far as it reads them. A server by itself has no snapshots, and one
 * of minutes ago may be gone: `isSnapshot` tells.
 */
export async function inSnapshot<T>(
  rows: Collections,
  work: (rows: Collections, isSnapshot: boolean) => Promise<T>,
): Promise<T> {
  const head = await readHead(rows)
  if (!head.time) return work(rows, false)
  const session = clientOf(rows).startSession({ snapshot: true })
  try {
    return await work(reading(rows, { session, readConcern: { level: 'snapshot' }, maxTimeMS: READ_TIMEOUT_MS }), true)
  } catch (error) {
    if (!(error instanceof MongoServerError && NO_SNAPSHOT.has(error.code))) throw error
  } finally {
    await session.endSession()
  }
  return afterFolds(rows, (rows) => work(rows, false))
}

/** Collections to be read alone, each read with these options. */
function reading(rows: Collections, options: object): Collections {
  const own = Object.entries(rows).map(([name, value]) => [
    name,
    typeof value === 'function'
      ? (month: number) => readingOne(rows.events(month) as unknown as Collection, options)
      : readingOne(value as unknown as Collection, options),
  ])
  return Object.fromEntries(own) as Collections
}

function readingOne(collection: Collection, options: object): Collection {
  return new Proxy(collection, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function' || !reads.has(String(name))) return member
      return (filter: object, own?: object) => member.apply(target, [filter, { ...own, ...options }])
    },
  })
}

function clientOf({ head }: Collections) {
  const { client } = head.db as Db & { client?: Db['client'] }
  if (!client) throw new AppError('internal', 'These collections are of no client.')
  return client
}
