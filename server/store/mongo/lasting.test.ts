import { EventEmitter } from 'node:events'
import { type MongoClient, MongoServerError, MongoServerSelectionError } from 'mongodb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLastingDb } from './lasting.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

type Answer = () => Promise<unknown>

const away: Answer = async () => {
  throw new MongoServerSelectionError('nobody there', {} as never)
}
const refused: Answer = async () => {
  throw new MongoServerError({ message: 'no' })
}
const silent: Answer = () => new Promise(() => {})

/** Clients that are opened one after another, each with its own way to answer; the last one's holds for all after it. */
function opened(...answers: Answer[]) {
  const clients: { closed: boolean; connected: boolean }[] = []
  const lasting = createLastingDb({
    database: 'shop',
    callTimeoutMs: 60_000,
    open() {
      const own = { closed: false, connected: false }
      const answer = answers[Math.min(clients.length, answers.length - 1)]!
      clients.push(own)
      const cursor = {
        sort: () => cursor,
        map: () => cursor,
        toArray: () => answer(),
        next: async () => ((await answer()) as unknown[]).shift() ?? null,
        readBufferedDocuments: () => [],
        close: async () => {},
      }
      const db = { collection: () => collection, command: () => answer(), databaseName: 'shop' }
      const collection = { findOne: () => answer(), find: () => cursor, dbName: `of client ${clients.length}`, db }
      const client = Object.assign(new EventEmitter(), {
        db: () => db,
        connect: async () => {
          own.connected = true
        },
        close: async () => {
          own.closed = true
        },
      })
      return client as unknown as MongoClient
    },
  })
  return { lasting, clients, users: lasting.db.collection('users') }
}

async function askFor(seconds: number, ask: () => Promise<unknown>): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await ask().catch(() => {})
    await vi.advanceTimersByTimeAsync(1000)
  }
}

describe('a database whose client is stuck', () => {
  it('gets a new client after ten seconds without an answer, and the old one is closed', async () => {
    const { clients, users } = opened(away, async () => 'there')
    await askFor(9, () => users.findOne())
    expect(clients).toHaveLength(1)
    await askFor(3, () => users.findOne())
    expect(clients).toEqual([
      { closed: true, connected: false },
      { closed: false, connected: true },
    ])
    // A collection that was made before is of the new client now.
    expect(await users.findOne()).toBe('there')
    expect(users.dbName).toBe('of client 2')
  })

  it('keeps a client whose server answers, be it with errors', async () => {
    const { clients, users } = opened(refused)
    await askFor(30, () => users.findOne())
    expect(clients).toHaveLength(1)
  })

  it('keeps a client that fails now and then', async () => {
    let calls = 0
    const { clients, users } = opened(() => (calls++ % 5 === 0 ? (async () => 'there')() : away()))
    await askFor(30, () => users.findOne())
    expect(clients).toHaveLength(1)
  })

  it('ends a call that never comes back, through a cursor too', async () => {
    for (const ask of ['findOne', 'find'] as const) {
      const { clients, users } = opened(silent, async () => ['there'])
      const call = ask === 'find' ? users.find().sort({}).map(String).toArray() : users.findOne()
      const ended = expect(call).rejects.toThrow('no answer within 60000 ms')
      await vi.advanceTimersByTimeAsync(59_000)
      expect(clients).toHaveLength(1)
      await vi.advanceTimersByTimeAsync(1000)
      await ended
      expect(clients).toHaveLength(2)
      expect(await users.find().toArray()).toEqual(['there'])
    }
  })

  it('ends a loop over rows that never come, and only then', async () => {
    const rows = ['first', 'second']
    const { clients, users } = opened(
      async () => rows,
      silent,
      async () => ['there'],
    )
    const seen: unknown[] = []
    for await (const row of users.find()) seen.push(row)
    expect(seen).toEqual(['first', 'second'])
    const { clients: others, users: stuck } = opened(silent, async () => ['there'])
    const loop = (async () => {
      for await (const row of stuck.find().sort({})) seen.push(row)
    })()
    const ended = expect(loop).rejects.toThrow('no answer within 60000 ms')
    await vi.advanceTimersByTimeAsync(60_000)
    await vi.advanceTimersByTimeAsync(60_000)
    await ended
    expect([clients.length, others.length]).toEqual([1, 2])
  })

  it('ends a command that never comes back, by the database of a collection too', async () => {
    for (const own of [true, false]) {
      const { lasting, clients, users } = opened(silent, async () => 'there')
      const command = () => (own ? users.db : lasting.db).command({ update: 'users' })
      const ended = expect(command()).rejects.toThrow('no answer within 60000 ms')
      await vi.advanceTimersByTimeAsync(60_000)
      await ended
      expect(clients).toHaveLength(2)
      expect(await command()).toBe('there')
    }
  })

  it('opens no client once it is closed', async () => {
    const { lasting, clients, users } = opened(away)
    await lasting.close()
    await askFor(30, () => users.findOne())
    expect(clients).toEqual([{ closed: true, connected: false }])
  })
})
