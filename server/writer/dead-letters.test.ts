import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
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
  trust: 'verified',
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

  it('does not look at the letters there are for each that is added', async () => {
    const letters = setUp()
    const dir = join(dirs.at(-1)!, 'dead-letters')
    await letters.add(Array.from({ length: 200 }, (_, n) => ({ at: 1, reason: 'why', event: event(`a${n}`) })))
    // No time passes, so that none of it asks for another look.
    vi.spyOn(performance, 'now').mockReturnValue(performance.now())
    const looks = vi.spyOn(Array.prototype, 'filter')
    for (let n = 0; n < 50; n++) {
      await letters.add([{ at: 1, reason: 'why', event: event(`b${n}`) }])
      expect(await letters.count()).toBe(201 + n)
    }
    // A look at the folder filters its names.
    const sizes = looks.mock.contexts.map((names) => (names as unknown[]).length)
    expect(sizes.filter((size) => size >= 200).length).toBeLessThanOrEqual(2)
    looks.mockRestore()
    expect(readdirSync(dir)).toHaveLength(250)
  })

  it('knows its bytes after letters were added, replaced, replayed and discarded', async () => {
    const letters = setUp(3000)
    const letter = (id: string, bytes: number) => ({ at: 1, reason: 'x'.repeat(bytes), event: event(id) })
    for (let round = 0; round < 5; round++) {
      await letters.add([letter('a', 1500)])
      await letters.add([letter('a', 1500)])
      await letters.add([letter('b', 100)])
      await expect(letters.add([letter('c', 1000)])).rejects.toMatchObject({ code: 'unavailable' })
      const [first] = await letters.list()
      if (round % 2 === 0) expect(await letters.discard([first!.id])).toBe(1)
      else expect(await letters.replay(storeRefusing())).toMatchObject({ stored: 2 })
      expect(await letters.count()).toBe(round % 2 === 0 ? 1 : 0)
      await letters.discard((await letters.list()).map(({ id }) => id))
    }
  })

  it('keeps the cap together with another process, and sees soon what that one takes away', async () => {
    const letters = setUp(4000)
    const dir = join(dirs.at(-1)!, 'dead-letters')
    const other = createDeadLetters({ dir, maxBytes: 4000 })
    const letter = (id: string) => ({ at: 1, reason: 'x'.repeat(700), event: event(id) })
    let added = 0
    for (let n = 0; n < 10; n++)
      for (const process of [letters, other])
        await process.add([letter(`${n}-${process === other}`)]).then(
          () => added++,
          () => {},
        )
    const bytes = readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0)
    expect(bytes).toBeLessThanOrEqual(4000)
    await sleep(1100)
    await expect(letters.add([letter('late')])).rejects.toMatchObject({ code: 'unavailable' })
    await other.discard((await other.list()).map(({ id }) => id))
    await sleep(1100)
    await letters.add([letter('again')])
    expect(await other.count()).toBe(1)
    expect(added).toBeGreaterThan(2)
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
