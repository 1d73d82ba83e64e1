import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createRandom } from '../../server/demo/random.ts'
import { payloadIssues } from '../../server/ingest/payload.ts'
import { Database } from '../../server/store/sqlite/database.ts'
import { createSqliteStore } from '../../server/store/sqlite/store.ts'
import { eventSeq, type StoredEvent } from '../../server/store/store.ts'
import type { EventType } from '../../trpc/schema/event-types.ts'
import { compareStore } from './compare.ts'
import { createEventMaker, type PostedEvent } from './events.ts'
import { type Differences, Obligations } from './obligations.ts'
import { sqliteData } from './store.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

const site = { id: 'default', name: 'Shop', timeZone: 'UTC', currency: 'EUR' }

function stored(event: PostedEvent, index: number, receivedAt: number): StoredEvent {
  const { userId, sessionId, type, payload, occurredAt } = event
  return {
    eventId: event.eventId!.trim(),
    siteId: site.id,
    userId,
    sessionId,
    type,
    payload,
    occurredAt: typeof occurredAt === 'number' ? occurredAt : Date.parse(occurredAt),
    receivedAt,
    seq: eventSeq(receivedAt, index),
    trust: 'verified',
    issues: payloadIssues(type as EventType, payload),
  }
}

/** Sixty promised events, and the rows that a store must have of them. */
function sixtyEvents(): { obligations: Obligations; rows: StoredEvent[] } {
  const obligations = new Obligations()
  const make = createEventMaker(createRandom(7), 'test')
  const events = Array.from({ length: 60 }, () => make(true))
  obligations.offer(events)
  obligations.promise(
    events,
    events.map((event) => event.eventId!.trim()),
  )
  const receivedAt = Date.now()
  return { obligations, rows: events.map((event, index) => stored(event, index, receivedAt)) }
}

function compared(change: (rows: StoredEvent[]) => StoredEvent[]): Differences {
  const { obligations, rows } = sixtyEvents()
  return obligations.compare(change(rows))
}

/** What is found in a store that has all of them, after `sql`. */
async function inStore(sql: string) {
  const dataDir = await mkdtemp(join(tmpdir(), 'veritas-obligations-'))
  folders.push(dataDir)
  const { obligations, rows } = sixtyEvents()
  const path = join(dataDir, 'veritas.db')
  const store = await createSqliteStore({ path, readers: 1 })
  await store.saveSite(site)
  await store.insertBatch({ id: 'one', events: rows })
  await store.close()
  const database = await Database.open(path)
  database.exec(sql)
  database.close()
  return compareStore(sqliteData(dataDir), obligations)
}

const none: Differences = { missing: [], duplicates: [], spurious: [], different: [] }

describe('the comparison that judges every fault', () => {
  it('finds nothing in rows that are right', () => {
    expect(compared((rows) => rows)).toEqual(none)
  })

  it('finds one event that is missing, and names it and its step', () => {
    expect(compared((rows) => rows.slice(1))).toEqual({ ...none, missing: ['test-0 (start)'] })
  })

  it('finds an event that is in twice, under another id', () => {
    const { duplicates, ...others } = compared((rows) => [...rows, { ...rows[3]!, eventId: 'another' }])
    expect(duplicates).toEqual(['test-3 (start)'])
    expect(others).toEqual({ missing: [], spurious: [], different: [] })
  })

  it('finds an event that nobody posted', () => {
    const { spurious } = compared((rows) => [...rows, { ...rows[3]!, eventId: 'x', payload: { mark: 'nobody' } }])
    expect(spurious).toEqual(['nobody (never posted)'])
  })

  it.each<[string, Partial<StoredEvent>]>([
    ['user', { userId: 'somebody else' }],
    ['time', { occurredAt: 1 }],
    ['order of arrival', { seq: 1 }],
    ['time of receipt', { receivedAt: 1, seq: eventSeq(1, 0) }],
    ['id', { eventId: 'another' }],
    ['list of issues', { issues: [{ path: 'payload', message: 'is odd' }] }],
  ])('finds a wrong %s', (_, change) => {
    const { different, missing } = compared(([first, ...rest]) => [{ ...first!, ...change }, ...rest])
    expect(different).toHaveLength(1)
    expect(missing).toEqual([])
  })

  it('finds a payload that has lost a single field', () => {
    const { different } = compared((rows) =>
      rows.map((row, index) =>
        index === 5 ? { ...row, payload: Object.fromEntries(Object.entries(row.payload!).slice(0, -1)) } : row,
      ),
    )
    expect(different).toHaveLength(1)
  })

  it('finds nothing in a store that is right', async () => {
    expect(await inStore('SELECT 1')).toMatchObject({ stored: 60, promised: 60, wrongTotals: 0, faults: [] })
  })

  it.each(['days', 'users', 'sessions'])('finds totals of %s that are one too high', async (table) => {
    const { wrongTotals, missing, different } = await inStore(`UPDATE ${table} SET events = events + 1`)
    expect(wrongTotals).toBeGreaterThan(0)
    expect(missing + different).toBe(0)
  })
})
