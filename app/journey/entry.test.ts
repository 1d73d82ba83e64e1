import { describe, expect, it } from 'vitest'
import { clockText } from '../../server/analysis/zones.ts'
import { dayIn, learnClock } from '../format/time.ts'
import type { Entry } from './entry.ts'
import { timelineOf } from './entry.ts'

learnClock({ timeZone: 'Europe/Berlin', clock: clockText('Europe/Berlin') })

let made = 0
const entry = (at: string, sessionId = 's1'): Entry => ({
  eventId: `e${++made}`,
  sessionId,
  type: 'page_view',
  at,
  icon: '👁️',
  label: 'Viewed page',
  subject: '/',
  payload: {},
  isClaimed: false,
  issues: [],
  repeats: null,
})

const kinds = (entries: Entry[], whole = true, zone = 'Europe/Berlin') =>
  timelineOf(entries, new Map(), (iso) => dayIn(iso, zone), whole).map((item) =>
    item.kind === 'gap' ? `gap ${item.gapMs / 60_000} ${item.between}` : item.kind === 'day' ? item.day : 'event',
  )

describe('a timeline', () => {
  it('puts events under the head of their session', () => {
    expect(kinds([entry('2026-11-22T13:05:00Z'), entry('2026-11-22T13:01:00Z')])).toEqual([
      '2026-11-22',
      'event',
      'event',
    ])
  })

  it('starts a new head for another session and for another day of the same one', () => {
    expect(kinds([entry('2026-11-22T23:03:00Z'), entry('2026-11-22T22:59:00Z')])).toEqual([
      '2026-11-23',
      'event',
      '2026-11-22',
      'event',
    ])
    expect(kinds([entry('2026-11-22T13:02:00Z', 'b'), entry('2026-11-22T13:01:00Z', 'a')])).toEqual([
      '2026-11-22',
      'event',
      '2026-11-22',
      'event',
    ])
  })

  it('marks pauses of more than five minutes, in either order', () => {
    const newest = [entry('2026-11-22T13:10:00Z'), entry('2026-11-22T13:05:00Z'), entry('2026-11-22T12:59:00Z')]
    expect(kinds(newest)).toEqual(['2026-11-22', 'event', 'event', 'gap 6 events', 'event'])
    expect(kinds([...newest].reverse())).toEqual(['2026-11-22', 'event', 'gap 6 events', 'event', 'event'])
  })

  it('tells a pause between sessions from one inside', () => {
    expect(kinds([entry('2026-11-22T13:10:00Z', 'b'), entry('2026-11-22T12:10:00Z', 'a')])).toEqual([
      '2026-11-22',
      'event',
      'gap 60 sessions',
      '2026-11-22',
      'event',
    ])
  })

  it('claims no pause where a filter leaves events out', () => {
    expect(kinds([entry('2026-11-22T13:10:00Z'), entry('2026-11-22T12:59:00Z')], false)).toEqual([
      '2026-11-22',
      'event',
      'event',
    ])
  })

  it('of nothing is empty', () => {
    expect(kinds([])).toEqual([])
  })
})
