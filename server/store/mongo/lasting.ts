import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AbstractCursor,
  type Collection,
  type Db,
  type MongoClient,
  MongoNetworkTimeoutError,
  MongoServerError,
} from 'mongodb'

/** Asked and without one answer for this long, a client is taken for stuck. */
const SILENT_MS = 10_000
const RECONNECT_MS = 500

export interface LastingOptions {
  /** A new client, not connected. */
  open(): MongoClient
  database: string
  /** Longest time for one call, whatever becomes of its connection. */
  callTimeoutMs: number
  silentMs?: number
}

/** A database that stays in reach, and the client that it is reached by at the moment. */
export interface LastingDb {
  db: Db
  /** Connects for the first time. May be called again after it rejected. */
  connect(): Promise<void>
  close(): Promise<void>
}

/**
 * The driver (7.9) has states that it does not leave by itself. A command of more than a socket takes at once waits for
 * room in it, and for ever when the connection ends quietly meanwhile, whatever limits are set; and what watches over a
 * server may stop doing so, so that a server that is there again is never found. So every call has a limit from outside,
 * and a client that has not brought an answer for long is replaced by a new one. Calls on their way there end with an
 * error, as with any lost connection.
 */
export function createLastingDb({ open, database, callTimeoutMs, silentMs = SILENT_MS }: LastingOptions): LastingDb {
  let client = open()
  let failingSince: number | null = null
  let isClosed = false

  function replace(stuck: MongoClient): void {
    if (isClosed || stuck !== client) return
    client = open()
    failingSince = null
    void stuck.close().catch(nothing)
    void keepConnecting(client)
  }

  /** A client whose first connection failed stays closed until it is told to connect again. */
  async function keepConnecting(own: MongoClient): Promise<void> {
    while (!isClosed && own === client) {
      if (await own.connect().then(isTrue, isFalse)) return
      await sleep(RECONNECT_MS, undefined, { ref: false })
    }
  }

  /** What a call came to says whether there is a server at the other end. */
  function heard(own: MongoClient, error: unknown): void {
    if (own !== client) return
    if (error === null || error instanceof MongoServerError) failingSince = null
    else {
      failingSince ??= performance.now()
      if (performance.now() - failingSince >= silentMs) replace(own)
    }
  }

  async function bounded<T>(own: MongoClient, call: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new MongoNetworkTimeoutError(`no answer within ${callTimeoutMs} ms`))
        replace(own)
      }, callTimeoutMs)
    })
    try {
      const answer = await Promise.race([call, late])
      heard(own, null)
      return answer
    } catch (error) {
      heard(own, error)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** The same database, collection or cursor, each of whose promises is bounded; `members` in the place of its own. */
  function watched<Target extends object>(
    own: () => { client: MongoClient; target: Target },
    members: Partial<Record<PropertyKey, unknown>> = {},
  ): Target {
    const proxy: Target = new Proxy(own().target, {
      get(_, name) {
        if (Object.hasOwn(members, name)) return members[name]
        const { client, target } = own()
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          const result: unknown = member.apply(target, args)
          if (result === target) return proxy
          if (result instanceof Promise) return bounded(client, result)
          return isCursor(result) ? watchedCursor(client, result) : result
        }
      },
    })
    return proxy
  }

  /** Its rows one by one too: a server that stops in the middle of an answer ends the loop. */
  function watchedCursor(own: MongoClient, target: RowsOf): object {
    async function* rows(): AsyncGenerator<unknown> {
      try {
        for (let row = await bounded(own, target.next()); row !== null; row = await bounded(own, target.next())) {
          yield row
          // What came with it needs no waiting for.
          yield* target.readBufferedDocuments()
        }
      } finally {
        await bounded(own, target.close()).catch(nothing)
      }
    }
    return watched(() => ({ client: own, target }), { [Symbol.asyncIterator]: rows })
  }

  const db = watched(() => ({ client, target: client.db(database) }), { collection })

  function collection(name: string): Collection {
    const found = new WeakMap<MongoClient, Collection>()
    const own = () => {
      const target = found.get(client) ?? client.db(database).collection(name)
      found.set(client, target)
      return { client, target }
    }
    // Commands go through the database of a collection.
    return watched(own, { db })
  }

  return {
    db,
    connect: async () => void (await client.connect()),
    async close() {
      isClosed = true
      await client.close()
    },
  }
}

type RowsOf = Pick<AbstractCursor, 'next' | 'readBufferedDocuments' | 'close'>

function isCursor(value: unknown): value is RowsOf {
  return typeof value === 'object' && value !== null && 'toArray' in value
}

const isTrue = () => true
const isFalse = () => false
function nothing(): void {}
