import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { decodeFrame } from '../../../ingest/frame.ts'
import { sampleFrame } from '../../../ingest/sample-frame.ts'
import { tally } from '../../frame-outcome.ts'
import { NOON, sampleSite } from '../../sample-events.ts'
import type { FrameBatch, Store } from '../../store.ts'
import { createSqliteStore } from '../store.ts'
import { testFolder } from '../test-folder.ts'

const newFolder = testFolder()
const open: Store[] = []
afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
})

async function openStore(): Promise<Store> {
  const store = await createSqliteStore({ path: `${await newFolder()}/veritas.db`, readers: 1 })
  open.push(store)
  await store.saveSite(sampleSite({ id: 'default' }))
  return store
}

const ids = fc.integer({ min: 0, max: 30 }).map((number) => `e${number}`)
const event = fc.record({
  eventId: ids,
  userId: fc.constantFrom('lena', 'noah', 'ü"\n'),
  sessionId: fc.constantFrom('s1', 's2'),
  type: fc.constantFrom('page_view', 'purchase', 'gone'),
  payload: fc.constantFrom(null, { url: '/' }, { orderId: 'o1', revenue: 12.5, currency: 'EUR', items: [] }),
  occurredAt: fc.integer({ min: NOON - 9 * 86_400_000, max: NOON }),
})
const frame = fc
  .array(event, { minLength: 1, maxLength: 5 })
  .map((events) => sampleFrame(events, { receivedAt: NOON, trust: 'claimed' }))

describe('insertFrames', () => {
  it('does and answers what decoding and insertBatch would', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(frame, { maxLength: 4 }), { maxLength: 4 }), async (batches) => {
        const [inFrames, inEvents] = [await openStore(), await openStore()]
        for (const [index, frames] of [...batches, ...batches.slice(0, 1)].entries()) {
          const id = `batch ${index % batches.length}`
          const outcome = await inFrames.insertFrames!({ id, frames })
          const decoded = await Promise.all(frames.map((each) => decodeFrame(each, () => undefined)))
          const events = decoded.flatMap((each) => each.events)
          const { stored, duplicate, fates, reasons } = await inEvents.insertBatch({ id, events })
          const letters = decoded.flatMap(({ unreadable }) =>
            unreadable.map((each) => ({ event: null, raw: each.event, reason: each.reason })),
          )
          const conflicts = Object.keys(reasons).map((index) => events[Number(index)]!)
          expect(outcome).toEqual({ stored, duplicate, letters, conflicts, types: tally(events, fates) })
        }
        const question = { siteId: 'default', from: '2026-11-01', to: '2026-11-30' }
        expect(await inFrames.overview(question)).toEqual(await inEvents.overview(question))
        for (const userId of ['lena', 'noah', 'ü"\n']) {
          const journey = { siteId: 'default', userId, limit: 100, order: 'desc' as const }
          expect(await inFrames.journey(journey)).toEqual(await inEvents.journey(journey))
        }
      }),
      { numRuns: 5 },
    )
  })

  it('takes whole buffers and views of one, and is the same batch under the same id', async () => {
    const store = await openStore()
    const [first] = fc.sample(frame, { numRuns: 1, seed: 7 })
    const padded = Buffer.concat([Buffer.alloc(100, 1), first!.payload, Buffer.alloc(100, 1)])
    const view = padded.subarray(100, 100 + first!.payload.length)
    const batch: FrameBatch = { id: 'one', frames: [{ ...first!, payload: view }] }
    const outcome = await store.insertFrames!(batch)
    expect(outcome.stored + outcome.duplicate + outcome.letters.length).toBe(first!.events)
    expect(await store.insertFrames!(batch)).toEqual(outcome)
  })

  it('tells of every event of a frame that nobody can read, and stores the others', async () => {
    const store = await openStore()
    const good = fc.sample(
      frame.filter(({ payload }) => !payload.includes('gone')),
      { numRuns: 1, seed: 3 },
    )[0]!
    const broken = { receivedAt: NOON, events: 2, payload: Buffer.from('no frame at all') }
    const { stored, duplicate, letters } = await store.insertFrames!({ id: 'mixed', frames: [broken, good] })
    expect(stored + duplicate).toBe(good.events)
    expect(letters).toMatchObject([
      { event: null, raw: { base64: broken.payload.toString('base64'), events: 2 } },
      { event: null, raw: { index: 1 } },
    ])
    expect(letters[0]!.reason).toContain('cannot be read')
  })
})
