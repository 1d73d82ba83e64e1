import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type EventBatch, eventSeq, type StoredEvent } from '../store/store.ts'
import { createDeadLetters } from './dead-letters.ts'

const dirs: string[] = []
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

function setUp(maxBytes?: number) {
  const dir = mkdtempSync(join(tmpdir(), 'veritas-letters-'))
  dirs.push(dir)
  return createDeadLetters({ dir: join(dir, 'dead-letters'), maxBytes })
}

const event = (eventId: string): StoredEvent => ({
  eventId,
  siteId: 'default',
  userId: 'u',
  sessionId: 's',
  type: 'page_view',
  payload: { url: '/' },
  occurredAt: 1,
  receivedAt: 1,
  seq: eventSeq(1_600_000_000_000, 0),
  issues: null,
})

/** A store that refuses some ids and knows what it has. */
function storeRefusing(...refused: string[]) {
  const stored = new Set<string>()
  return {
    stored,
    insertBatch: async ({ events }: EventBatch) => {
      const fates = events.map(({ eventId }) => {
        if (refused.includes(eventId)) return 'refused' as const
        if (stored.has(eventId)) return 'duplicate' as const
        stored.add(eventId)
        return 'stored' as const
      })
      return { fates, reasons: {}, stored: 0, duplicate: 0, refused: 0 }
    },
  }
}

describe('dead letters', () => {
  it('keeps an event once, however often it is added', async () => {
    const letters = setUp()
    expect(await letters.list()).toEqual([])
    await letters.add([{ at: 2, reason: 'why', event: event('a') }])
    await letters.add([
      { at: 3, reason: 'why', event: event('a') },
      { at: 1, reason: 'other', event: event('b') },
    ])
    expect(await letters.count()).toBe(2)
    expect((await letters.list()).map((letter) => letter.event?.eventId)).toEqual(['b', 'a'])
  })

  it('F14: replayed twice at the same time stores each event once and keeps what is refused again', async () => {
    const letters = setUp()
    await letters.add(['a', 'b', 'c'].map((id) => ({ at: 1, reason: 'why', event: event(id) })))
    const store = storeRefusing('b')
    const outcomes = await Promise.all([letters.replay(store), letters.replay(store)])
    expect(outcomes.reduce((sum, outcome) => sum + outcome.stored, 0)).toBe(2)
    expect([...store.stored].sort()).toEqual(['a', 'c'])
    expect((await letters.list()).map((letter) => letter.event?.eventId)).toEqual(['b'])
  })

  it('replays and discards only those that are named', async () => {
    const letters = setUp()
    await letters.add(['a', 'b', 'c'].map((id) => ({ at: 1, reason: 'why', event: event(id) })))
    const [first, second] = await letters.list()
    const store = storeRefusing()
    expect(await letters.replay(store, [first!.id])).toEqual({ stored: 1, duplicate: 0, refused: 0 })
    expect(await letters.discard([second!.id, 'unknown', '../../etc/passwd'])).toBe(1)
    expect(await letters.count()).toBe(1)
  })

  it('keeps what can no longer be read as an event, and never stores it', async () => {
    const letters = setUp()
    await letters.add([{ at: 1, reason: 'unknown type', event: null, raw: { type: 'gone' } }])
    expect(await letters.replay(storeRefusing())).toEqual({ stored: 0, duplicate: 0, refused: 1 })
    expect((await letters.list())[0]?.raw).toEqual({ type: 'gone' })
  })

  it('refuses more than its cap instead of dropping any', async () => {
    const letters = setUp(1000)
    await letters.add([{ at: 1, reason: 'why', event: event('a') }])
    await expect(letters.add([{ at: 1, reason: 'x'.repeat(1000), event: event('b') }])).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect(await letters.count()).toBe(1)
  })

  it('is not disabled by files that are no letters', async () => {
    const letters = setUp()
    await letters.add([{ at: 1, reason: 'why', event: event('a') }])
    const dir = join(dirs.at(-1)!, 'dead-letters')
    writeFileSync(join(dir, 'garbage.json'), '{"id":')
    writeFileSync(join(dir, 'empty.json'), '')
    writeFileSync(join(dir, 'null.json'), 'null')
    mkdirSync(join(dir, 'folder.json'))
    expect((await letters.list()).map((letter) => letter.event?.eventId)).toEqual(['a'])
    expect(await letters.replay(storeRefusing())).toEqual({ stored: 1, duplicate: 0, refused: 0 })
  })
})
