import type { StoredEvent, TimeRange } from '../../store.ts'
import { READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import { siteBounds } from '../row-id.ts'
import { monthOf } from '../write/new-events.ts'
import { toStoredEvent } from './event-row.ts'

/** Where a scan goes on: past this event of this month. `until` is the last row of a stretch that it is in. */
export interface ScanPlace {
  month: number
  after: string
  until?: string
}

const STEP_EVENTS = 2000
/** Rows looked at for those of a range, so that a step is short however few they are. */
const STRETCH_ROWS = 5000
const bounded = { maxTimeMS: READ_TIMEOUT_MS }

/** One step of a scan over the events of a site, along the _id; next is null at the end. */
export async function scan(
  rows: Collections,
  siteId: string,
  range: TimeRange | undefined,
  place: ScanPlace | null,
): Promise<{ events: StoredEvent[]; next: ScanPlace | null }> {
  const [first, last] = siteBounds(siteId)
  const from = place ?? { month: range ? monthOf(range.from) : 0, after: first }
  const month = (
    await rows.months
      .find({ _id: { $gte: from.month } }, bounded)
      .sort({ _id: 1 })
      .limit(1)
      .toArray()
  )[0]?._id
  if (month === undefined || (range && month > monthOf(range.to - 1))) return { events: [], next: null }
  const { after, until } = month === from.month ? from : { after: first, until: undefined }
  const end = range ? (until ?? (await stretchEnd(rows, month, after, last))) : null
  const found = await rows
    .events(month)
    .find(
      {
        _id: end === null ? { $gt: after, $lt: last } : { $gt: after, $lte: end },
        ...(range && { at: { $gte: range.from, $lt: range.to } }),
      },
      bounded,
    )
    .sort({ _id: 1 })
    .limit(STEP_EVENTS)
    .toArray()
  const reached = found.length === STEP_EVENTS ? found.at(-1)!._id : end
  const next =
    reached === null
      ? { month: month + 1, after: first }
      : { month, after: reached, ...(end !== null && reached !== end && { until: end }) }
  return { events: found.map(toStoredEvent), next }
}

/** The last of the next so many rows, read from the index alone; null when there are fewer. */
async function stretchEnd({ events }: Collections, month: number, after: string, last: string): Promise<string | null> {
  const row = await events(month).findOne(
    { _id: { $gt: after, $lt: last } },
    { ...bounded, projection: { _id: 1 }, sort: { _id: 1 }, skip: STRETCH_ROWS - 1 },
  )
  return row?._id ?? null
}
