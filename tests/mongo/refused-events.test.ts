import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { sampleFrame } from '../../server/ingest/sample-frame.ts'
import { createMemoryWal } from '../../server/ingest/wal/memory.ts'
import { type Collections, collectionsOf } from '../../server/store/mongo/collections.ts'
import type { ClaimRow, EventRow } from '../../server/store/mongo/rows.ts'
import { storeOf } from '../../server/store/mongo/store.ts'
import { sampleBatch, sampleEvent, sampleSite } from '../../server/store/sample-events.ts'
import type { Store } from '../../server/store/store.ts'
import { createTelemetry } from '../../server/telemetry/telemetry.ts'
import { createConflicts } from '../../server/writer/conflicts.ts'
import { createDeadLetters } from '../../server/writer/dead-letters.ts'
import { createGivenUp, giveUp } from '../../server/writer/given-up.ts'
import { createWriter } from '../../server/writer/writer.ts'
import { describeWith } from '../needs.ts'
import { temporaryFolder } from '../server.ts'
import { type MongoServer, startMongo } from './mongo-server.ts'
import { ownMongo } from './need.ts'
import { refusing } from './refusing.ts'

const PATIENT = { timeout: 60_000, interval: 50 }

describeWith(ownMongo, 'events that MongoDB itself does not take', () => {
  let server: MongoServer
  let client: MongoClient
  let rows: Collections
  let store: Store
  let isRefused: (event: EventRow) => boolean
  let isRefusedClaim: (claim: ClaimRow) => boolean
  beforeAll(async () => {
    server = await startMongo({ own: true })
    client = new MongoClient(server.newDatabase())
    rows = collectionsOf(client.db())
    store = storeOf({
      writing: refusing(
        rows,
        (event) => isRefused(event),
        (claim) => isRefusedClaim(claim),
      ),
      ...{ asking: rows, place: 'test', connect: async () => {}, disconnect: () => client.close() },
    }).store
    takesAll()
  })
  afterAll(() => store.close())

  function takesAll(): void {
    isRefused = () => false
    isRefusedClaim = () => false
  }

  async function setUp() {
    takesAll()
    const site = await store.saveSite({ ...sampleSite(), id: 'default' })
    const before = (await store.totals(site.id)).events
    const dir = temporaryFolder()
    const wal = createMemoryWal()
    const telemetry = createTelemetry({ logLevel: 'silent' })
    const deadLetters = createDeadLetters({ dir: join(dir, 'dead-letters') })
    const writer = createWriter({
      ...{ wal, store, deadLetters, telemetry, now: Date.now },
      conflicts: createConflicts({ dir: join(dir, 'conflicts') }),
      givenUp: createGivenUp(join(dir, 'given-up')),
      settings: { events: 100, intervalMs: 0, concurrency: 3, retryMs: 1 },
    })
    const post = (...sessions: string[]) =>
      wal.append(
        sampleFrame(
          sessions.map((sessionId) => ({
            ...{ type: 'page_view', eventId: `${dir}-${ids++}`, userId: 'u', sessionId, payload: { url: '/' } },
          })),
        ),
      )
    const kept = async () => (await store.totals(site.id)).events - before
    const lettersOf = async () => (await deadLetters.list()).map(({ event, reason }) => [event?.sessionId, reason])
    return { wal, writer, telemetry, post, kept, lettersOf, dir }
  }
  let ids = 0

  it('make no batch wait: those that are alone in it are dead letters, the others are stored', async () => {
    const { wal, writer, telemetry, post, kept, lettersOf } = await setUp()
    isRefused = ({ session }) => session.startsWith('bad')
    await post('a', 'b', 'bad 1', 'c', 'd', 'bad 2', 'e')
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENT)
    expect((await lettersOf()).sort()).toEqual([
      ['bad 1', 'Error: not here'],
      ['bad 2', 'Error: not here'],
    ])
    expect(await kept()).toBe(5)
    expect(telemetry.counters).toMatchObject({ stored: 5, duplicate: 0, deadLettered: 2 })
    expect(writer.troubles()).toEqual([])
    await writer.close()
  })

  it('are dead letters too where their ids alone are not taken', async () => {
    const { wal, writer, post, kept, lettersOf } = await setUp()
    let bad = ''
    isRefusedClaim = ({ _id }) => _id.endsWith(bad)
    bad = `-${ids + 1}`
    await post('a', 'bad', 'b')
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENT)
    expect(await lettersOf()).toEqual([['bad', 'Error: not here']])
    expect(await kept()).toBe(2)
    await writer.close()
  })

  it('wait where the database takes none of their kind, until it does, beside others that are stored', async () => {
    const { wal, writer, telemetry, post, kept, lettersOf } = await setUp()
    isRefused = ({ type }) => type === 'page_view'
    await post(...Array.from({ length: 20 }, (_, n) => `s${n}`))
    await post('alone')
    await vi.waitFor(() => expect(writer.doubted()).toHaveLength(1), PATIENT)
    expect(writer.troubles()).toEqual([expect.stringContaining('give-up page_view')])
    expect(await lettersOf()).toEqual([])
    expect(wal.waiting().events).toBe(21)
    takesAll()
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENT)
    expect(await kept()).toBe(21)
    expect(await lettersOf()).toEqual([])
    expect(telemetry.counters.deadLettered).toBe(0)
    expect(await rows.ledger.countDocuments({ state: 'prep' })).toBe(0)
    await writer.close()
  })

  it('are judged when another of their kind is stored, or given up', async () => {
    const { wal, writer, post, kept, lettersOf, dir } = await setUp()
    isRefused = ({ session }) => session.startsWith('bad')
    await post('bad 1')
    await vi.waitFor(() => expect(writer.doubted()).toHaveLength(1), PATIENT)
    expect(await lettersOf()).toEqual([])
    await post('good')
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENT)
    await post('bad 2')
    await vi.waitFor(() => expect(writer.doubted()).toHaveLength(1), PATIENT)
    await giveUp(join(dir, 'given-up'), 'page_view', Date.now())
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENT)
    expect(await lettersOf()).toEqual([
      ['bad 1', 'Error: not here'],
      ['bad 2', 'given up: Error: not here'],
    ])
    expect(await kept()).toBe(1)
    await writer.close()
  })

  it('leave nothing of a batch that holds no other, so that it may come again, whole or in parts', async () => {
    await setUp()
    const batch = sampleBatch(sampleEvent({ siteId: 'default' }), sampleEvent({ siteId: 'default' }))
    isRefused = () => true
    await expect(store.insertBatch(batch)).rejects.toThrow(/^not here$/)
    const claimed = { batch: { $regex: `^${batch.id} ` } }
    expect(await rows.claims.countDocuments(claimed)).toBe(0)
    expect(await rows.ledger.countDocuments({ _id: batch.id })).toBe(0)
    takesAll()
    expect((await store.insertBatch({ id: `${batch.id}/0`, events: batch.events.slice(0, 1) })).fates).toEqual([
      'stored',
    ])
    expect((await store.insertBatch(batch)).fates).toEqual(['duplicate', 'stored'])
  })
})
