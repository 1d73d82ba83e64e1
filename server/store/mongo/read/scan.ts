import type { StoredEvent } from '../../store.ts'
import { READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import { siteBounds } from '../row-id.ts'
import { toStoredEvent } from './event-row.ts'

/** Where a scan goes on: past this event of this month. */
export interface ScanPlace {
  month: number
  after: string
}

const STEP_EVENTS = 2000
const bounded = { maxTimeMS: READ_TIMEOUT_MS }

/** One step of a scan over every event of a site, along the _id; next is null at the end. */
export async function scan(
  { months, events }: Collections,
  siteId: string,
  place: ScanPlace | null,
): Promise<{ events: StoredEvent[]; next: ScanPlace | null }> {
  const [first, last] = siteBounds(siteId)
  const from = place ?? { month: 0, after: first }
  const month = (
    await months
      .find({ _id: { $gte: from.month } }, bounded)
      .sort({ _id: 1 })
      .limit(1)
      .toArray()
  )[0]?._id
  if (month === undefined) return { events: [], next: null }
  const after = month === from.month ? from.after : first
  const rows = await events(month)
    .find({ _id: { $gt: after, $lt: last } }, bounded)
    .sort({ _id: 1 })
    .limit(STEP_EVENTS)
    .toArray()
  const end = rows.length < STEP_EVENTS ? undefined : rows.at(-1)
  const next = end ? { month, after: end._id } : { month: month + 1, after: first }
  return { events: rows.map(toStoredEvent), next }
}
