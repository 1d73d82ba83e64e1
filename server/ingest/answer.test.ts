import { describe, expect, it } from 'vitest'
import type { Verdict } from '../../trpc/schema/event.ts'
import { acceptedText, type IngestOutcome, refusedText } from './answer.ts'

const MAX_BYTES = 64 * 1024
const drop: Verdict = { result: 'drop', code: 'invalid_field', path: 'userId', details: 'x'.repeat(200) }
const warning: Verdict = { result: 'warning', code: 'unknown_field', path: 'a', details: 'y'.repeat(200) }

/** Of events with such ids, of which every third is refused and every other one has a remark. */
function outcome(count: number, id: (index: number) => string): IngestOutcome {
  const places = Array.from({ length: count }, (_, index) => index)
  const refused = places.filter((place) => place % 3 === 0)
  return {
    received: count,
    eventIds: places.filter((place) => place % 3 !== 0).map(id),
    verdicts: places.map((place) => [id(place), place % 3 === 0 ? drop : warning]),
    refused,
    notKept: Array(20).fill('\u0001'.repeat(100)),
  }
}

describe('the answer to a post', () => {
  it('lists everything while it is small', () => {
    const answer = JSON.parse(acceptedText(outcome(30, String), MAX_BYTES))
    expect(Object.keys(answer.results)).toHaveLength(30)
    expect(answer).not.toHaveProperty('notListed')
    expect(answer).not.toHaveProperty('rejectedPlaces')
  })

  it.each([
    ['short', String],
    ['long', (index: number) => `${'\u0001'.repeat(120)}${index}`],
  ])('is bounded, and tells of every event whether it was refused: %s ids', (_, id) => {
    const given = outcome(4096, id)
    const text = acceptedText(given, MAX_BYTES)
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_BYTES)
    const answer = JSON.parse(text)
    expect(answer).toMatchObject({ received: 4096, rejected: 1366, rejectedPlaces: given.refused })
    expect(answer.eventIds).toEqual(given.eventIds.slice(0, answer.eventIds.length))
    expect(answer.notListed.eventIds).toBe(given.eventIds.length - answer.eventIds.length)
    const results = Object.values(answer.results) as Verdict[]
    expect(answer.notListed.results).toBe(4096 - results.length)
    expect(results.length).toBeGreaterThan(10)
    // Why events were refused comes before remarks on others.
    expect(results.every(({ result }) => result === 'drop')).toBe(true)
  })

  it('is bounded where nothing was accepted', () => {
    const places = Array.from({ length: 4096 }, (_, index) => index)
    const text = refusedText(
      'None is valid.',
      {
        received: 4096,
        eventIds: [],
        verdicts: places.map((place) => [`#${place}`, drop]),
        refused: places,
        notKept: [],
      },
      MAX_BYTES,
    )
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_BYTES)
    expect(JSON.parse(text)).toMatchObject({ ok: false, rejected: 4096, rejectedPlaces: places })
  })
})
