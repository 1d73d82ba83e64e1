import { createHash } from 'node:crypto'
import type { Site } from '../../trpc/schema/common.ts'
import { figuresOf } from '../analysis/overview.ts'
import type { EventReading } from '../store/store.ts'

/** The figures of one day, as the pages have them: money in minor units, hours by their first instant. */
export async function dayFigures(store: Pick<EventReading, 'overview' | 'hours'>, site: Site, day: string) {
  const query = { siteId: site.id, from: day, to: day }
  const overview = await store.overview(query)
  const hours = await store.hours(query)
  const types = [...overview.types].sort((a, b) => b.events - a.events || (a.type < b.type ? -1 : 1))
  return {
    ...figuresOf(overview),
    eventsByType: types,
    eventsByHour: hours.map(({ start, events }) => ({ start: new Date(start).toISOString(), events })),
  }
}

export type DayFigures = Awaited<ReturnType<typeof dayFigures>>

export function digest(figures: DayFigures): string {
  return createHash('sha256').update(JSON.stringify(figures)).digest('hex')
}
