import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { AppError } from '../errors.ts'
import { sampleFrame } from '../ingest/sample-frame.ts'
import { createMemoryWal } from '../ingest/wal/memory.ts'
import type { Wal } from '../ingest/wal/wal.ts'
import type { BatchOutcome, EventBatch, FrameBatch, FrameOutcome } from '../store/store.ts'
import { balance } from '../telemetry/system.ts'
import { createTelemetry } from '../telemetry/telemetry.ts'
import { createConflicts } from './conflicts.ts'
import { createDeadLetters } from './dead-letters.ts'
import { createGivenUp, giveUp } from './given-up.ts'
import { createWriter, type WriterSettings } from './writer.ts'

/** What is waited for comes at once, or late on a busy machine. */
const PATIENCE_MS = 60_000

const stored = (batch: EventBatch): BatchOutcome => ({
  fates: batch.events.map(() => 'stored'),
  reasons: {},
  stored: batch.events.length,
  duplicate: 0,
  refused: 0,
})

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const part of open.splice(0)) await part.close()
})

function setUp(
  insertBatch: (batch: EventBatch) => Promise<BatchOutcome>,
  settings: Partial<WriterSettings> = {},
  now: () => number = Date.now,
  insertFrames?: (batch: FrameBatch) => Promise<FrameOutcome>,
  wal: Wal = createMemoryWal(),
) {
  const dataDir = mkdtempSync(join(tmpdir(), 'veritas-writer-'))
  const telemetry = createTelemetry({ logLevel: 'silent' })
  const deadLetters = createDeadLetters({ dir: dataDir })
  const conflicts = createConflicts({ dir: join(dataDir, 'conflicts') })
  const writer = createWriter({
    wal,
    store: { insertBatch, ...(insertFrames && { insertFrames }) },
    deadLetters,
    conflicts,
    givenUp: createGivenUp(join(dataDir, 'given-up')),
    telemetry,
    settings: { events: 2000, intervalMs: 50, concurrency: 3, ...settings },
    now,
  })
  open.push(writer, { close: async () => rmSync(dataDir, { recursive: true }) })
  let posted = 0
  const post = (events = 1, typeOf: (n: number) => string = () => 'page_view') => {
    const body = Array.from({ length: events }, () => ({
      type: typeOf(posted),
      eventId: `e${posted++}`,
      userId: 'u',
      sessionId: 's',
      payload: { url: '/' },
    }))
    return wal.append(sampleFrame(body))
  }
  const giveUpType = (type: string, at = Date.now()) => giveUp(join(dataDir, 'given-up'), type, at)
  return { wal, writer, telemetry, post, deadLetters, conflicts, giveUpType }
}

describe('writer', () => {
  it('stores a steady trickle although no gap in it is as long as the interval', async () => {
    const insertBatch = vi.fn(async (batch: EventBatch) => stored(batch))
    const { post, telemetry } = setUp(insertBatch, { intervalMs: 100 })
    for (let i = 0; i < 1000 && telemetry.counters.stored === 0; i++) {
      await post()
      await sleep(20)
    }
    expect(telemetry.counters.stored).toBeGreaterThan(0)
  })

  it.each([-3_600_000, 3_600_000, -40 * 86_400_000])(
    'F13: stores what it took before the clock jumped by %i ms as soon as ever',
    async (jumpMs) => {
      let jumped = 0
      const now = () => Date.now() + jumped
      const { post, telemetry } = setUp(async (batch) => stored(batch), { intervalMs: 300 }, now)
      // Armed for an event of before, and asked again by one of after the jump.
      await post()
      jumped = jumpMs
      await post()
      await vi.waitFor(() => expect(telemetry.counters.stored).toBe(2), PATIENCE_MS)
    },
  )

  it('does not wait for the interval once a batch is full', async () => {
    const insertBatch = vi.fn(async (batch: EventBatch) => stored(batch))
    const { post } = setUp(insertBatch, { intervalMs: 60_000, events: 10 })
    await post(9)
    await sleep(30)
    expect(insertBatch).not.toHaveBeenCalled()
    await post(1)
    await vi.waitFor(() => expect(insertBatch).toHaveBeenCalledOnce(), PATIENCE_MS)
  })

  it('runs as many batches at once as it may, and no more', async () => {
    const gates: (() => void)[] = []
    const insertBatch = vi.fn(async (batch: EventBatch) => {
      await new Promise<void>((resolve) => gates.push(resolve))
      return stored(batch)
    })
    const { post, wal } = setUp(insertBatch, { intervalMs: 0, events: 1 })
    for (let i = 0; i < 5; i++) await post()
    await vi.waitFor(() => expect(gates).toHaveLength(3), PATIENCE_MS)
    await sleep(30)
    expect(gates).toHaveLength(3)
    while (wal.waiting().events > 0) {
      gates.shift()?.()
      await sleep(1)
    }
    expect(insertBatch).toHaveBeenCalledTimes(5)
  })

  it('drains a backlog in larger batches', async () => {
    const sizes: number[] = []
    const insertBatch = async (batch: EventBatch) => {
      sizes.push(batch.events.length)
      return stored(batch)
    }
    const { post, writer } = setUp(insertBatch, { intervalMs: 60_000, events: 10, concurrency: 1 })
    await Promise.all(Array.from({ length: 100 }, () => post(2)))
    expect(await writer.drain(PATIENCE_MS)).toBe(true)
    expect(Math.max(...sizes)).toBe(40)
    expect(sizes.at(-1)).toBeLessThanOrEqual(10)
  })

  it('leaves others their turns while a log has nothing to hand out of what it says is waiting', async () => {
    const memory = createMemoryWal()
    let asked = 0
    const wal: Wal = {
      ...memory,
      pending: () => ({ events: 1, bytes: 1, oldestAt: 1 }),
      async next() {
        asked++
        await setImmediate()
        return null
      },
    }
    setUp(async (batch) => stored(batch), {}, Date.now, undefined, wal)
    const turns = 400
    for (let turn = 0; turn < turns; turn++) await setImmediate()
    expect(asked).toBeGreaterThan(0)
    expect(asked).toBeLessThan(turns / 4)
  })

  it('runs a failed batch again under the same id and with the same events', async () => {
    const seen: EventBatch[] = []
    const insertBatch = async (batch: EventBatch) => {
      seen.push(batch)
      if (seen.length < 3) throw new Error('the store is away')
      return stored(batch)
    }
    const { post, telemetry, wal } = setUp(insertBatch, { intervalMs: 1 })
    await post(4)
    await vi.waitFor(() => expect(telemetry.counters.stored).toBe(4), PATIENCE_MS)
    expect(new Set(seen.map((batch) => batch.id)).size).toBe(1)
    expect(new Set(seen.map((batch) => JSON.stringify(batch.events))).size).toBe(1)
    expect(wal.waiting().events).toBe(0)
    expect(telemetry.counters.flushFailures).toBe(2)
  })

  it('says to which moment the store is complete', async () => {
    const gates: (() => void)[] = []
    const insertBatch = async (batch: EventBatch) => {
      await new Promise<void>((resolve) => gates.push(resolve))
      return stored(batch)
    }
    const { post, writer } = setUp(insertBatch, { intervalMs: 0 })
    const before = Date.now()
    await post(3)
    const waiting = writer.freshness()
    expect(waiting.waiting).toBe(3)
    expect(Date.parse(waiting.completeTo)).toBeGreaterThanOrEqual(before - 1)
    expect(Date.parse(waiting.completeTo)).toBeLessThanOrEqual(Date.now() - 1)
    await vi.waitFor(() => expect(gates).toHaveLength(1), PATIENCE_MS)
    expect(writer.freshness().waiting).toBe(3)
    gates[0]!()
    await vi.waitFor(() => expect(writer.freshness().waiting).toBe(0), PATIENCE_MS)
  })

  it('keeps an event that the store refuses as a dead letter with its reason', async () => {
    const insertBatch = async (batch: EventBatch): Promise<BatchOutcome> => ({
      fates: ['refused', 'stored'],
      reasons: { 0: 'too strange' },
      stored: batch.events.length - 1,
      duplicate: 0,
      refused: 1,
    })
    const { post, telemetry, deadLetters } = setUp(insertBatch, { intervalMs: 0 })
    await post(2)
    await vi.waitFor(() => expect(telemetry.counters.deadLettered).toBe(1), PATIENCE_MS)
    expect(await deadLetters.list()).toEqual([
      expect.objectContaining({ reason: 'too strange', event: expect.objectContaining({ eventId: 'e0' }) }),
    ])
    expect(telemetry.counters.stored).toBe(1)
  })

  it('lists an event that came under the id of another, and counts it as a duplicate', async () => {
    const insertBatch = async (batch: EventBatch): Promise<BatchOutcome> => ({
      fates: batch.events.map(() => 'duplicate'),
      reasons: { 1: 'eventId was used before by another event' },
      stored: 0,
      duplicate: batch.events.length,
      refused: 0,
    })
    const { post, telemetry, deadLetters, conflicts, wal } = setUp(insertBatch, { intervalMs: 0 })
    await post(3)
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENCE_MS)
    expect(telemetry.counters).toMatchObject({ duplicate: 3, conflicts: 1, deadLettered: 0 })
    expect((await conflicts.list(10)).map(({ event }) => event.eventId)).toEqual(['e1'])
    expect(await deadLetters.count()).toBe(0)
  })

  it('makes dead letters, with all their bytes, of events whose request nobody can read any more, and stores the others', async () => {
    const insertBatch = vi.fn(async (batch: EventBatch) => stored(batch))
    const { post, telemetry, deadLetters, wal } = setUp(insertBatch)
    const broken = [
      Buffer.from('no header'),
      Buffer.from('{"siteId":"default","ids":{},"refused":[]}\n{"userId":'),
      Buffer.from('{"siteId":"default","ids":{},"refused":5}\n[{},{},{}]'),
      Buffer.from('null\n[{}]'),
    ]
    await post(2)
    for (const payload of broken) await wal.append({ receivedAt: 5, events: 3, payload })
    await post(1)
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENCE_MS)
    expect(balance(telemetry.counters, wal)).toMatchObject({ stored: 3, deadLettered: 12 })
    const letters = await deadLetters.list()
    expect(letters).toHaveLength(12)
    for (const { reason, event } of letters) {
      expect(reason).toMatch(/cannot be read: \w+/)
      expect(event).toBeNull()
    }
    const bytes = letters.flatMap(({ raw }) => (raw as { base64?: string }).base64 ?? [])
    expect(bytes.map((text) => Buffer.from(text, 'base64').toString()).sort()).toEqual(broken.map(String).sort())
  })

  it('F9: finds the poison in a batch that always fails, and stores every innocent event', async () => {
    const kept = new Set<string>()
    const insertBatch = async (batch: EventBatch): Promise<BatchOutcome> => {
      if (batch.events.some((event) => Number(event.eventId.slice(1)) % 100 === 7)) throw new Error('poison')
      for (const event of batch.events) kept.add(event.eventId)
      return stored(batch)
    }
    const { post, telemetry, deadLetters, wal } = setUp(insertBatch, { intervalMs: 0, retryMs: 0.01 })
    await post(300)
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENCE_MS)
    expect(kept.size).toBe(297)
    expect((await deadLetters.list()).map((letter) => letter.event?.eventId).sort()).toEqual(['e107', 'e207', 'e7'])
    expect(balance(telemetry.counters, wal)).toMatchObject({ stored: 297, deadLettered: 3 })
  })

  it('F9: tries a part of a batch that is known to be bad once, and a single event three times before it is judged', async () => {
    const tries = new Map<string, number>()
    const insertBatch = async (batch: EventBatch): Promise<BatchOutcome> => {
      if (!batch.events.some(({ eventId }) => eventId === 'e7')) return stored(batch)
      const size = batch.events.length
      tries.set(batch.id, (tries.get(batch.id) ?? 0) + 1)
      sizes.set(batch.id, size)
      throw new Error('poison')
    }
    const sizes = new Map<string, number>()
    const { post, wal } = setUp(insertBatch, { intervalMs: 0, retryMs: 0.01 })
    await post(64)
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENCE_MS)
    const bySize = [...tries].map(([id, count]) => [sizes.get(id), count])
    expect(bySize).toEqual([
      [64, 3],
      [32, 1],
      [16, 1],
      [8, 1],
      [4, 1],
      [2, 1],
      [1, 3],
    ])
  })

  it('never takes a store that is away for the fault of an event', async () => {
    let tries = 0
    const insertBatch = async (batch: EventBatch): Promise<BatchOutcome> => {
      if (tries++ < 12) throw new AppError('unavailable', 'the store is away')
      return stored(batch)
    }
    const { post, deadLetters, wal } = setUp(insertBatch, { intervalMs: 0, retryMs: 0.01 })
    await post(5)
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENCE_MS)
    expect(await deadLetters.count()).toBe(0)
  })

  it('keeps events waiting that fail for want of a table, says so, and stores them when it is there again', async () => {
    let isBroken = true
    const insertBatch = async (batch: EventBatch): Promise<BatchOutcome> => {
      if (isBroken) throw new Error('no such column: payload')
      return stored(batch)
    }
    const { post, telemetry, deadLetters, wal, writer } = setUp(insertBatch, { intervalMs: 0, retryMs: 0.01 })
    await post(200)
    await post(1)
    await vi.waitFor(() => expect(writer.troubles()).toEqual([expect.stringContaining('others like')]), PATIENCE_MS)
    await sleep(100)
    expect(wal.waiting().events).toBe(201)
    expect(await deadLetters.count()).toBe(0)
    isBroken = false
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENCE_MS)
    expect(balance(telemetry.counters, wal)).toMatchObject({ stored: 201, deadLettered: 0 })
    expect(writer.troubles()).toEqual([])
  })

  it('takes what is stored of other types for no proof, and holds up none of them', async () => {
    let isBroken = true
    const isOdd = (event: { eventId: string }) => Number(event.eventId.slice(1)) % 10 === 3
    const insertBatch = async (batch: EventBatch): Promise<BatchOutcome> => {
      if (isBroken && batch.events.some(({ type }) => type === 'search')) throw new Error('no such column: term')
      if (batch.events.some((event) => event.type === 'page_view' && isOdd(event))) throw new Error('poison')
      return stored(batch)
    }
    const { post, telemetry, deadLetters, wal, writer } = setUp(insertBatch, { intervalMs: 0, retryMs: 0.01 })
    await post(20, (n) => (n % 2 === 0 ? 'search' : 'page_view'))
    for (let n = 0; n < 50; n++) await post(1, () => 'search')
    await vi.waitFor(() => expect(writer.troubles()).toHaveLength(1), PATIENCE_MS)
    expect(await deadLetters.count()).toBe(0)
    isBroken = false
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENCE_MS)
    expect((await deadLetters.list()).map((letter) => letter.event?.eventId).sort()).toEqual(['e13', 'e3'])
    expect(balance(telemetry.counters, wal)).toMatchObject({ stored: 68, deadLettered: 2 })
  })

  it('judges an event that came alone as soon as another of its type is stored', async () => {
    const insertFrames = async ({ frames }: FrameBatch): Promise<FrameOutcome> => {
      if (frames.some(({ payload }) => Buffer.from(payload).includes('"e0"'))) throw new Error('poison')
      const events = frames.reduce((sum, frame) => sum + frame.events, 0)
      const types = { page_view: { stored: events, duplicate: 0, warned: 0 } }
      return { stored: events, duplicate: 0, types, letters: [], conflicts: [] }
    }
    const insertBatch = async (): Promise<BatchOutcome> => {
      throw new Error('poison')
    }
    const settings = { intervalMs: 0, retryMs: 0.01 }
    const { post, deadLetters, wal, writer } = setUp(insertBatch, settings, Date.now, insertFrames)
    await post(1)
    await vi.waitFor(() => expect(writer.troubles()).toHaveLength(1), PATIENCE_MS)
    expect(await deadLetters.count()).toBe(0)
    await post(1)
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENCE_MS)
    expect((await deadLetters.list()).map((letter) => letter.event?.eventId)).toEqual(['e0'])
    expect(writer.troubles()).toEqual([])
  })

  it.each(['as they were decoded', 'as they lie in the log'])(
    'makes dead letters of events in doubt once they are given up, of their type and of before alone, %s',
    async (how) => {
      const isRefused = (text: string) => /"(search|form_submit)"/.test(text)
      const insertBatch = async (batch: EventBatch): Promise<BatchOutcome> => {
        if (isRefused(JSON.stringify(batch.events))) throw new Error('no such column: term')
        return stored(batch)
      }
      const insertFrames = async ({ frames }: FrameBatch): Promise<FrameOutcome> => {
        if (frames.some(({ payload }) => isRefused(Buffer.from(payload).toString())))
          throw new Error('no such column: term')
        const events = frames.reduce((sum, frame) => sum + frame.events, 0)
        const types = { page_view: { stored: events, duplicate: 0, warned: 0 } }
        return { stored: events, duplicate: 0, types, letters: [], conflicts: [] }
      }
      const settings = { intervalMs: 0, events: 10, retryMs: 0.01 }
      const { post, telemetry, deadLetters, wal, writer, giveUpType } = setUp(
        ...([insertBatch, settings, Date.now] as const),
        how === 'as they lie in the log' ? insertFrames : undefined,
      )
      await post(10, (n) => (n < 7 ? 'search' : 'page_view'))
      await post(10, () => 'form_submit')
      await post(10)
      const month = new Date().toISOString().slice(0, 7)
      await vi.waitFor(() => {
        expect(writer.doubted()).toEqual([
          { type: 'form_submit', month, reason: 'Error: no such column: term' },
          { type: 'search', month, reason: 'Error: no such column: term' },
        ])
        expect(wal.waiting().events).toBe(20)
      }, PATIENCE_MS)
      expect(writer.troubles()).toEqual([expect.stringMatching(/give-up form_submit search$/)])
      // Those that come after it was said are waited for.
      await giveUpType('search', Date.now() - 3_600_000)
      await sleep(1000)
      expect(await deadLetters.count()).toBe(0)
      await giveUpType('search')
      await vi.waitFor(() => expect(wal.waiting().events).toBe(10), PATIENCE_MS)
      const letters = await deadLetters.list()
      expect(letters.map((letter) => letter.event?.eventId).sort()).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6'])
      for (const { reason } of letters) expect(reason).toBe('given up: Error: no such column: term')
      expect(writer.doubted().map(({ type }) => type)).toEqual(['form_submit'])
      expect(balance(telemetry.counters, wal)).toMatchObject({ stored: 13, deadLettered: 7 })
    },
  )

  it('halves a batch that ends the thread of the store alone, and blames no other that was under way', async () => {
    const kept: string[] = []
    const under = new Set<(error: Error) => void>()
    const ended = () => new AppError('unavailable', 'the thread ended', { suspectsInput: true })
    // As a thread does: whatever is under way with the poison fails with it.
    const insertBatch = (batch: EventBatch) =>
      new Promise<BatchOutcome>((resolve, reject) => {
        under.add(reject)
        setTimeout(() => {
          if (!under.has(reject)) return
          if (batch.events.some(({ eventId }) => eventId === 'e14')) {
            for (const fail of under) fail(ended())
            under.clear()
            return
          }
          under.delete(reject)
          kept.push(...batch.events.map(({ eventId }) => eventId))
          resolve(stored(batch))
        }, 5)
      })
    const { post, telemetry, deadLetters, wal } = setUp(insertBatch, { intervalMs: 0, events: 10, retryMs: 0.01 })
    await Promise.all([post(10), post(10), post(10)])
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENCE_MS)
    expect(kept.sort()).toEqual(
      Array.from({ length: 30 }, (_, n) => `e${n}`)
        .filter((id) => id !== 'e14')
        .sort(),
    )
    const [letter, ...others] = await deadLetters.list()
    expect(letter).toMatchObject({ reason: expect.stringContaining('ends the thread'), event: { eventId: 'e14' } })
    expect(others).toEqual([])
    expect(balance(telemetry.counters, wal)).toMatchObject({ stored: 29, deadLettered: 1 })
  })

  it('blames no event while the thread ends with nothing to store as well', async () => {
    let tries = 0
    const insertBatch = async (batch: EventBatch): Promise<BatchOutcome> => {
      if (tries++ < 15) throw new AppError('unavailable', 'the thread ended', { suspectsInput: true })
      return stored(batch)
    }
    const { post, deadLetters, wal, telemetry } = setUp(insertBatch, { intervalMs: 0, retryMs: 0.01 })
    await post(2)
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENCE_MS)
    expect(await deadLetters.count()).toBe(0)
    expect(telemetry.counters.stored).toBe(2)
  })

  it('halves the requests of a batch where the engine reads them, and reads only the one itself that fails', async () => {
    const read: string[][] = []
    const insertFrames = async ({ frames }: FrameBatch): Promise<FrameOutcome> => {
      if (frames.some(({ payload }) => Buffer.from(payload).includes('"e5"'))) throw new Error('poison')
      const events = frames.reduce((sum, frame) => sum + frame.events, 0)
      return {
        stored: events,
        duplicate: 0,
        types: { page_view: { stored: events, duplicate: 0, warned: 1 } },
        letters: [],
        conflicts: [],
      }
    }
    const insertBatch = async (batch: EventBatch) => {
      read.push(batch.events.map(({ eventId }) => eventId))
      if (batch.events.some(({ eventId }) => eventId === 'e5')) throw new Error('poison')
      return stored(batch)
    }
    const settings = { intervalMs: 60_000, events: 8, retryMs: 0.01 }
    const { post, telemetry, deadLetters, wal } = setUp(insertBatch, settings, Date.now, insertFrames)
    await Promise.all([post(2), post(2), post(2), post(2)])
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENCE_MS)
    expect(new Set(read.flat())).toEqual(new Set(['e4', 'e5']))
    expect((await deadLetters.list()).map((letter) => letter.event?.eventId)).toEqual(['e5'])
    expect(telemetry.counters.types.page_view).toMatchObject({ stored: 7, deadLettered: 1 })
  })

  it('stores events beside letters that cannot be written, and says so, and has the letters as soon as they can', async () => {
    const insertBatch = async (batch: EventBatch): Promise<BatchOutcome> => {
      if (batch.events.some(({ eventId }) => Number(eventId.slice(1)) < 5)) throw new Error('poison')
      return stored(batch)
    }
    const settings = { intervalMs: 0, events: 1, concurrency: 1, retryMs: 0.01 }
    const { post, telemetry, deadLetters, wal, writer } = setUp(insertBatch, settings)
    const add = vi.spyOn(deadLetters, 'add').mockRejectedValue(new Error('the folder is read-only'))
    for (let n = 0; n < 8; n++) await post()
    await vi.waitFor(() => expect(telemetry.counters.stored).toBe(3), PATIENCE_MS)
    await vi.waitFor(() => expect(writer.troubles()).toEqual([expect.stringContaining('Dead letters')]), PATIENCE_MS)
    expect(wal.waiting().events).toBe(5)
    add.mockRestore()
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENCE_MS)
    expect(await deadLetters.count()).toBe(5)
    expect(writer.troubles()).toEqual([])
  })

  it('says that storing fails, until it does not', async () => {
    let isAway = true
    const insertBatch = async (batch: EventBatch): Promise<BatchOutcome> => {
      if (isAway) throw new AppError('unavailable', 'the store is away')
      return stored(batch)
    }
    const { post, writer, wal } = setUp(insertBatch, { intervalMs: 0, retryMs: 0.01 })
    expect(writer.troubles()).toEqual([])
    await post(1)
    await vi.waitFor(() => expect(writer.troubles()).toHaveLength(1), PATIENCE_MS)
    isAway = false
    await vi.waitFor(() => expect(wal.waiting().events).toBe(0), PATIENCE_MS)
    expect(writer.troubles()).toEqual([])
  })

  it('drain stores what waits without waiting for the interval', async () => {
    const insertBatch = vi.fn(async (batch: EventBatch) => stored(batch))
    const { post, writer } = setUp(insertBatch, { intervalMs: 60_000 })
    await post(5)
    expect(await writer.drain(PATIENCE_MS)).toBe(true)
    expect(insertBatch).toHaveBeenCalledOnce()
  })

  it('drain waits for a batch that is already on its way', async () => {
    let begun = false
    let finished = false
    const insertBatch = async (batch: EventBatch) => {
      begun = true
      await sleep(100)
      finished = true
      return stored(batch)
    }
    const { post, writer } = setUp(insertBatch, { intervalMs: 0 })
    await post()
    await vi.waitFor(() => expect(begun).toBe(true), PATIENCE_MS)
    expect(await writer.drain(PATIENCE_MS)).toBe(true)
    expect(finished).toBe(true)
  })

  it('drain says false when the deadline comes first', async () => {
    const { post, writer, wal } = setUp(async () => {
      throw new Error('away')
    })
    await post(2)
    expect(await writer.drain(150)).toBe(false)
    expect(wal.waiting().events).toBe(2)
  })
})
