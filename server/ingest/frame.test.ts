import { describe, expect, it } from 'vitest'
import { eventSeq } from '../store/store.ts'
import { decodeFrame } from './frame.ts'
import { sampleFrame } from './sample-frame.ts'

const receivedAt = Date.UTC(2026, 10, 23, 12)
const event = (userId: string) => ({ userId, sessionId: 's', type: 'page_view', payload: { url: '/ü\n"' } })

const noTurns = () => undefined

function frameOf(body: unknown, header: { ids?: Record<number, string>; refused?: number[] }, events: number) {
  return sampleFrame(body, { receivedAt, events, seq: 7, trust: 'claimed', ...header })
}

describe('frame', () => {
  it('gives back the accepted events with the ids and times that the door gave them', async () => {
    const body = { batch: [{ ...event('a'), eventId: 'e-a' }, 7, { ...event('b'), occurredAt: receivedAt - 5 }] }
    const { events, unreadable } = await decodeFrame(frameOf(body, { ids: { 2: 'minted' }, refused: [1] }, 2), noTurns)
    expect(unreadable).toEqual([])
    expect(events.map((e) => [e.eventId, e.userId, e.occurredAt, e.receivedAt, e.siteId])).toEqual([
      ['e-a', 'a', receivedAt, receivedAt, 'default'],
      ['minted', 'b', receivedAt - 5, receivedAt, 'default'],
    ])
    expect(events[0]!.payload).toEqual({ url: '/ü\n"' })
    expect(events.map(({ seq, trust }) => [seq, trust])).toEqual([
      [7, 'claimed'],
      [9, 'claimed'],
    ])
  })

  it('reports an accepted event that this version would refuse instead of leaving it out', async () => {
    const { events, unreadable } = await decodeFrame(
      frameOf([event('a'), { ...event('b'), type: 'gone' }], { ids: { 0: 'x', 1: 'y' } }, 2),
      noTurns,
    )
    expect(events).toHaveLength(1)
    expect(unreadable).toEqual([
      { event: { ...event('b'), type: 'gone', eventId: 'y' }, reason: expect.stringContaining('gone') },
    ])
  })

  it('reads frames of before trust and order of arrival were kept, and none of a version to come', async () => {
    const old = (version?: number) => ({
      receivedAt,
      events: 1,
      payload: Buffer.from(
        `${JSON.stringify({ ...(version && { version }), siteId: 'default', ids: { 0: 'x' }, refused: [] })}\n${JSON.stringify([event('a')])}`,
      ),
    })
    const { events } = await decodeFrame(old(), noTurns)
    expect(events).toMatchObject([{ eventId: 'x', seq: eventSeq(receivedAt, 0), trust: 'verified' }])
    const later = await decodeFrame(old(99), noTurns)
    expect(later.events).toEqual([])
    expect(later.unreadable).toEqual([{ event: expect.anything(), reason: expect.stringContaining('version 99') }])
  })

  it('gives others a turn within a large frame and loses no event over it', async () => {
    let turns = 0
    const body = Array.from({ length: 1000 }, (_, i) => ({ ...event(`user_${i}`), eventId: `e-${i}` }))
    const { events } = await decodeFrame(frameOf(body, {}, 1000), () => {
      turns++
      return turns % 2 ? new Promise((resolve) => setImmediate(resolve)) : undefined
    })
    expect(turns).toBeGreaterThan(10)
    expect(events.map((e) => e.eventId)).toEqual(body.map((e) => e.eventId))
  })

  it('tells events apart that are alike and that nobody reads any more, by the ids that the door gave them', async () => {
    const gone = { ...event('a'), type: 'of an earlier version' }
    const frame = frameOf([gone, gone, { ...gone, eventId: 'own' }], { ids: { 0: 'first', 1: 'second' } }, 3)
    const { unreadable } = await decodeFrame(frame, noTurns)
    expect(unreadable.map((each) => each.event)).toEqual([
      { ...gone, eventId: 'first' },
      { ...gone, eventId: 'second' },
      { ...gone, eventId: 'own' },
    ])
  })
})
