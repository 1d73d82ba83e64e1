import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { AppError } from '../errors.ts'
import { type EventBatch, eventSeq, type StoredEvent } from '../store/store.ts'
import { createDeadLetters, type ListedLetter } from './dead-letters.ts'

const dirs: string[] = []
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

function setUp(alarmBytes?: number) {
  const dir = mkdtempSync(join(tmpdir(), 'veritas-letters-'))
  dirs.push(dir)
  return createDeadLetters({ dir: join(dir, 'dead-letters'), alarmBytes })
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

const OWN_FILES = '/proc/self/fd'

/** How many more of its own files the process had open at a time, as seen in each turn of the loop. */
async function mostFilesOpen(work: () => Promise<void>): Promise<number> {
  const before = readdirSync(OWN_FILES).length
  let most = before
  const watch = { isOver: false }
  const watching = (async () => {
    while (!watch.isOver) {
      most = Math.max(most, readdirSync(OWN_FILES).length)
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  await work().finally(() => {
    watch.isOver = true
  })
  await watching
  return most - before
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
    expect(await letters.replay(store, [first!.id])).toMatchObject({ stored: 1, duplicate: 0, refused: 0 })
    expect(await letters.discard([second!.id, 'unknown', '../../etc/passwd'])).toBe(1)
    expect(await letters.count()).toBe(1)
  })

  it('keeps what can no longer be read as an event, and never stores it', async () => {
    const letters = setUp()
    await letters.add([{ at: 1, reason: 'unknown type', event: null, raw: { type: 'gone' } }])
    expect(await letters.replay(storeRefusing())).toMatchObject({ stored: 0, duplicate: 0, refused: 1 })
    expect((await letters.list())[0]?.raw).toEqual({ type: 'gone' })
  })

  it('takes letters beyond its mark too, and says that it is over it', async () => {
    const letters = setUp(3 * 4096)
    const letter = (id: string) => ({ at: 1, reason: 'why', event: event(id) })
    await letters.add([letter('a'), letter('b')])
    expect(await letters.isOverFull()).toBe(false)
    await letters.add([letter('c'), letter('c'), letter('d')])
    expect(await letters.isOverFull()).toBe(true)
    expect(await letters.count()).toBe(4)
    await letters.discard((await letters.list(2)).map(({ id }) => id))
    expect(await letters.isOverFull()).toBe(false)
    await letters.replay(storeRefusing())
    expect(await letters.count()).toBe(0)
  })

  it('does not look at the letters there are for each that is added', async () => {
    const letters = setUp()
    await letters.add(Array.from({ length: 200 }, (_, n) => ({ at: 1, reason: 'why', event: event(`a${n}`) })))
    // No time passes, so that none of it asks for another look.
    vi.spyOn(performance, 'now').mockReturnValue(performance.now())
    const looks = vi.spyOn(Array.prototype, 'filter')
    for (let n = 0; n < 50; n++) {
      await letters.add([{ at: 1, reason: 'why', event: event(`b${n}`) }])
      expect(await letters.count()).toBe(201 + n)
    }
    // A look goes through the names in steps of 64, and filters each.
    const steps = looks.mock.contexts.filter((found) => (found as unknown[]).length === 64)
    expect(steps.length).toBeLessThanOrEqual(3)
    looks.mockRestore()
    expect(readdirSync(join(dirs.at(-1)!, 'dead-letters'))).toHaveLength(250)
  })

  it('sees what another process adds and takes away', async () => {
    const letters = setUp(4096)
    const other = createDeadLetters({ dir: join(dirs.at(-1)!, 'dead-letters') })
    expect(await letters.count()).toBe(0)
    await other.add([{ at: 1, reason: 'why', event: event('a') }])
    await expect.poll(() => letters.count()).toBe(1)
    expect(await letters.isOverFull()).toBe(true)
    await other.discard((await other.list()).map(({ id }) => id))
    await expect.poll(() => letters.isOverFull()).toBe(false)
  })

  it('lists any number in pages, oldest first, each letter once', async () => {
    const letters = setUp()
    const order = Array.from({ length: 300 }, (_, n) => (n * 7) % 300)
    await letters.add(order.map((n) => ({ at: 1_000_000 + Math.floor(n / 3), reason: 'why', event: event(`e${n}`) })))
    for (let n = 0; n < 20; n++) writeFileSync(join(dirs.at(-1)!, 'dead-letters', `garbage-${n}.json`), '{')
    const listed: ListedLetter[] = []
    for (let page = await letters.list(17); page.length > 0; page = await letters.list(17, page.at(-1)!.place)) {
      expect(page.length).toBeLessThanOrEqual(17)
      listed.push(...page)
    }
    expect(new Set(listed.map(({ id }) => id)).size).toBe(300)
    expect(listed.map(({ at }) => at)).toEqual(Array.from({ length: 300 }, (_, n) => 1_000_000 + Math.floor(n / 3)))
    await expect(letters.list(17, 'nowhere')).rejects.toMatchObject({ code: 'invalid_input', field: 'after' })
  })

  it.runIf(existsSync(OWN_FILES))('has few files open while it lists and replays many', async () => {
    const letters = setUp()
    const dir = join(dirs.at(-1)!, 'dead-letters')
    mkdirSync(dir)
    for (let at = 0; at < 400; at++)
      writeFileSync(join(dir, `${at}.json`), JSON.stringify({ at, reason: 'why', event: event(`e${at}`) }))
    const opened = await mostFilesOpen(async () => {
      expect(await letters.list(400)).toHaveLength(400)
      expect(await letters.replay(storeRefusing('e7'))).toMatchObject({ stored: 399, refused: 1 })
    })
    // The folder and a letter or two; who opens one for each of them has hundreds open in some turn.
    expect(opened).toBeLessThan(20)
  })

  it('lists large letters on more pages', async () => {
    const letters = setUp()
    const raw = 'x'.repeat(3 * 1024 * 1024)
    await letters.add([1, 2, 3, 4].map((at) => ({ at, reason: 'why', event: null, raw: `${at}${raw}` })))
    const first = await letters.list(100)
    expect(first.map(({ at }) => at)).toEqual([1, 2])
    expect((await letters.list(100, first.at(-1)!.place)).map(({ at }) => at)).toEqual([3, 4])
  })

  it('replays each letter on its own: one that fails in the store keeps none of the others back', async () => {
    const letters = setUp()
    await letters.add(['a', 'b', 'c', 'd'].map((id, at) => ({ at, reason: 'why', event: event(id) })))
    const store = storeRefusing('c')
    const failing = {
      insertBatch: async (batch: EventBatch) => {
        const [{ eventId }] = batch.events as [StoredEvent]
        if (eventId === 'a') throw new TypeError('payload is not a function')
        if (eventId === 'b') throw new AppError('unavailable', 'The thread ended.', { suspectsInput: true })
        return store.insertBatch(batch)
      },
    }
    expect(await letters.replay(failing)).toEqual({
      stored: 1,
      duplicate: 0,
      refused: 1,
      failed: 2,
      problem: 'The thread ended.',
    })
    expect((await letters.list()).map((letter) => letter.event?.eventId)).toEqual(['a', 'b', 'c'])
  })

  it('stops a replay while the store is away', async () => {
    const letters = setUp()
    await letters.add(['a', 'b'].map((id, at) => ({ at, reason: 'why', event: event(id) })))
    const insertBatch = vi.fn(async () => Promise.reject(new AppError('unavailable', 'The store is away.')))
    expect(await letters.replay({ insertBatch })).toMatchObject({ failed: 1, problem: 'The store is away.' })
    expect(insertBatch).toHaveBeenCalledOnce()
    expect(await letters.count()).toBe(2)
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
    expect(await letters.replay(storeRefusing())).toMatchObject({ stored: 1, duplicate: 0, refused: 0 })
  })
})
