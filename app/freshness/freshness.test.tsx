import { TRPCClientError } from '@trpc/client'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { clockText } from '../../server/analysis/zones.ts'
import { learnClock } from '../format/time.ts'
import { type Away, awayOf } from './away.ts'
import { FreshnessLine, StaleBanner } from './freshness.tsx'

learnClock({ timeZone: 'Europe/Berlin', clock: clockText('Europe/Berlin') })

const now = '2026-11-22T13:32:10.000Z'
const zone = 'Europe/Berlin'
const line = (waiting: number, completeTo: string, more: { lastEventAt?: string; away?: Away } = {}) =>
  renderToStaticMarkup(<FreshnessLine freshness={{ waiting, completeTo }} now={now} zone={zone} {...more} />).replace(
    /<[^>]*>/g,
    '',
  )
const banner = (waiting: number, completeTo: string) =>
  renderToStaticMarkup(<StaleBanner freshness={{ waiting, completeTo }} now={now} zone={zone} />).replace(
    /<[^>]*>/g,
    ' ',
  )

describe('the freshness of a page', () => {
  it('is up to date when nothing waits, however long ago the last event was', () => {
    expect(line(0, '2026-11-22T10:00:00.000Z')).toBe('Up to date')
    expect(line(0, now, { lastEventAt: '2026-11-22T13:32:08.000Z' })).toBe('Up to date · last event 14:32:08')
    expect(line(0, now, { lastEventAt: '2026-11-20T13:32:08.000Z' })).toBe('Up to date · last event 20 Nov 2026, 14:32')
    expect(banner(0, '2026-11-22T10:00:00.000Z')).toBe('')
  })

  it('counts what waits for a moment without alarm', () => {
    expect(line(3, '2026-11-22T13:31:30.000Z')).toBe('Counting 3 events')
    expect(banner(3, '2026-11-22T13:31:30.000Z')).toBe('')
  })

  it('is stale when events wait for more than a minute, and says how far behind', () => {
    expect(line(952, '2026-11-22T13:18:02.000Z')).toBe('14 min behind')
    expect(banner(952, '2026-11-22T13:18:02.000Z')).toContain('Numbers stop at 14:18, 14 min ago.')
    expect(banner(952, '2026-11-22T13:18:02.000Z')).toContain('952 events are waiting')
  })

  it('tells those who hear the page no time nor count that changes all the time', () => {
    const told = (waiting: number, completeTo: string) =>
      renderToStaticMarkup(
        <FreshnessLine freshness={{ waiting, completeTo }} now={now} zone={zone} lastEventAt={now} />,
      ).match(/role="status">([^<]*)</)?.[1]
    expect(told(0, now)).toBe('Up to date')
    // With a steady stream of events, some are always waiting for a moment.
    expect(told(2, '2026-11-22T13:32:08.500Z')).toBe('Up to date')
    expect(told(3, '2026-11-22T13:31:30.000Z')).toBe('Counting')
    expect(told(952, '2026-11-22T13:18:02.000Z')).toBe('behind')
  })

  it('says what cannot be reached, and from when the figures are', () => {
    expect(line(0, now, { away: 'server' })).toBe('Connection lost, retrying · figures of 14:32:10')
    expect(line(0, now, { away: 'store' })).toBe('The database does not answer, retrying · figures of 14:32:10')
  })
})

describe('what is away', () => {
  const failed = (httpStatus: number) =>
    TRPCClientError.from({ error: { code: -32603, message: 'Try again.', data: { httpStatus } } })

  it('is the store only where the server says so itself', () => {
    expect(awayOf(failed(503))).toBe('store')
    expect(awayOf(failed(500))).toBe('page')
    expect(awayOf(failed(502))).toBe('server')
    expect(awayOf(failed(404))).toBeNull()
    expect(awayOf(new TypeError('Failed to fetch'))).toBe('server')
    // A proxy answers with HTML instead of JSON.
    expect(awayOf(TRPCClientError.from(new SyntaxError('Unexpected token <')))).toBe('server')
  })
})
