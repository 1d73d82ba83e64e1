import type { Filter } from 'mongodb'
import { monthOf } from '../../../analysis/months.ts'
import { StepRoom } from '../../step-room.ts'
import type { StoredEvent, TimeRange } from '../../store.ts'
import { READ_TIMEOUT_MS } from '../client.ts'
import type { Collections } from '../collections.ts'
import { siteBounds } from '../row-id.ts'
import type { EventRow } from '../rows.ts'
import { toStoredEvent } from './event-row.ts'

/** Where a scan goes on: past this event of this month, or, where only a range is wanted, past this user. */
export interface ScanPlace {
  month: number
  after: string
  /** The last event given back, whose user has more; `ids` are those of the same moment that were given back. */
  within?: { user: string; at: number; seq: number; ids: string[] }
}

type ScanStep = { events: StoredEvent[]; next: ScanPlace | null }

/** Entries of the index looked at for those of a range, so that a step is short however few they are. */
const STEP_ENTRIES = 20_000
const bounded = { maxTimeMS: READ_TIMEOUT_MS }
/** Events that the server sends at once: large ones must not come by the thousand. */
const sent = { ...bounded, batchSize: 200 }

/** One step of a scan over the events of a site; next is null at the end. */
export async function scan(
  rows: Collections,
  siteId: string,
  range: TimeRange | undefined,
  place: ScanPlace | null,
): Promise<ScanStep> {
  const [first, last] = siteBounds(siteId)
  const from = place ?? { month: range ? monthOf(range.from) : 0, after: first }
  const found = rows.months
    .find({ _id: { $gte: from.month } }, bounded)
    .sort({ _id: 1 })
    .limit(1)
  const month = (await found.toArray())[0]?._id
  if (month === undefined || (range && month > monthOf(range.to - 1))) return { events: [], next: null }
  const here: ScanPlace = month === from.month ? from : { month, after: first }
  const step = range ? await rangeStep(rows, range, here, last) : await wholeStep(rows, here, last)
  return step.next ? step : { ...step, next: { month: month + 1, after: first } }
}

/** Along the _id; next is null at the end of the month. */
async function wholeStep(rows: Collections, { month, after }: ScanPlace, last: string): Promise<ScanStep> {
  const ids = { _id: { $gt: after, $lt: last } }
  const room = new StepRoom()
  const found = await withRoom(room, rows.events(month).find(ids, sent).sort({ _id: 1 }).limit(room.rows))
  const next = room.isFull ? { month, after: found.at(-1)!._id } : null
  return { events: found.map(toStoredEvent), next }
}

/** Along the index by users, which has the times: of a month of events only those of the range are read themselves. */
async function rangeStep(rows: Collections, range: TimeRange, place: ScanPlace, last: string): Promise<ScanStep> {
  const { month, after, within } = place
  const at = { $gte: range.from, $lt: range.to }
  const room = new StepRoom()
  const found = within
    ? await inOrder(
        rows,
        month,
        {
          user: within.user,
          at: { $gte: within.at, $lt: range.to },
          $or: [{ at: { $gt: within.at } }, { seq: { $gte: within.seq } }],
          _id: { $nin: within.ids },
        },
        room,
      )
    : []
  let end: string | null = after
  if (!room.isFull) {
    end = await stretchEnd(rows, month, after, last)
    const users = end === null ? { $gt: after, $lt: last } : { $gt: after, $lte: end }
    found.push(...(await inOrder(rows, month, { user: users, at }, room)))
  }
  const events = found.map(toStoredEvent)
  if (!room.isFull) return { events, next: end === null ? null : { month, after: end } }
  const { user, at: lastAt, seq } = found.at(-1)!
  const isSame = (row: EventRow) => row.user === user && row.at === lastAt && row.seq === seq
  const before = within && within.user === user && within.at === lastAt && within.seq === seq ? within.ids : []
  const ids = [...before, ...found.filter(isSame).map(({ _id }) => _id)]
  return { events, next: { month, after: user, within: { user, at: lastAt, seq, ids } } }
}

function inOrder(rows: Collections, month: number, filter: Filter<EventRow>, room: StepRoom): Promise<EventRow[]> {
  const found = rows.events(month).find(filter, sent).hint(byUser).sort({ user: 1, at: 1, seq: 1 })
  return withRoom(room, found.limit(room.rows))
}

/** Rows up to the one that fills the step. */
async function withRoom(room: StepRoom, found: AsyncIterable<EventRow>): Promise<EventRow[]> {
  const rows: EventRow[] = []
  for await (const row of found) {
    rows.push(row)
    room.take(row)
    if (room.isFull) break
  }
  return rows
}

/** The user of the entry so many further on, read from the index alone; null when there are fewer. */
async function stretchEnd({ events }: Collections, month: number, after: string, last: string): Promise<string | null> {
  const row = await events(month).findOne(
    { user: { $gt: after, $lt: last } },
    { ...bounded, projection: { _id: 0, user: 1 }, sort: { user: 1 }, skip: STEP_ENTRIES - 1, hint: byUser },
  )
  return row?.user ?? null
}

const byUser = { user: 1, at: 1, seq: 1, type: 1 } as const
