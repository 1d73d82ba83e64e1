import { AppError } from '../../../errors.ts'
import { ID_OF_ANOTHER, idBesideClaim, isBesideClaim, isOtherEvent } from '../../event-digest.ts'
import type { BatchOutcome, EventBatch, EventFate } from '../../store.ts'
import { ALWAYS_KEPT_MS, notKept } from '../../unfit.ts'
import { causal } from '../causal.ts'
import type { Collections } from '../collections.ts'
import { unavailable } from '../failure.ts'
import { prepareMonth } from '../indexes.ts'
import { keptFrom } from '../retention.ts'
import { plainRowId } from '../row-id.ts'
import type { BatchRow } from '../rows.ts'
import { zonesOf } from '../sites.ts'
import { joined, partsOf } from './batch-parts.ts'
import { unwritten } from './bulk.ts'
import { claim, claimTag } from './claims.ts'
import type { Folder } from './folder.ts'
import { beginBatch, countFates, finishBatch, forgetBatch, noteIds, outcomeOf } from './ledger.ts'
import { type NewEvent, newEvents } from './new-events.ts'
import { figuresOf, type Summary, siteSummary } from './summary.ts'

export interface Inserting {
  rows: Collections
  /** Of the process that stores. */
  owner: string
  folder: Folder
  /** Zones of sites that have events: they cannot change. */
  zones: Map<string, string>
  /** Brings a batch to its end whose process is gone (left-batches.ts). */
  endBatch(batch: BatchRow): Promise<void>
  /** Months that are prepared. */
  months: Set<number>
  place: string
  /** The mark of a life of a batch that is being ended: rows of its events are there already. */
  adopts?: string
}

/**
 * Stores a batch, one whose figures are too much for a document in parts. Every step may be repeated, by this process or
 * another one, as long as it is for the same batch:
 *
 * 1. the ledger says that it has begun;
 * 2. each event id is claimed for the batch, once over all months; an id that another batch has is a duplicate, or gives
 *    way to another id (isBesideClaim);
 * 3. the rows of the claimed events are written;
 * 4. the ledger says that this is done, and what the batch adds to the figures;
 * 5. a fold adds it, some time later: whoever asks for figures waits for it (state.ts).
 *
 * From the first write on every failure is `unavailable`: only the same batch may be tried again, since the ids are
 * claimed for it and not for a half of it. What the database does not take is `doubtful`, its claims are given back; a
 * batch of nothing else rejects as Refused and is forgotten, so that it may come again, whole or in halves.
 */
export async function insertBatch(inserting: Inserting, batch: EventBatch): Promise<BatchOutcome> {
  const parts = partsOf(batch)
  if (parts.length === 1) return insertPart(inserting, batch, { isWhole: inserting.adopts === undefined })
  const outcomes: BatchOutcome[] = []
  for (const part of parts) outcomes.push(await insertPart(inserting, part, { isWhole: false }))
  return joined(outcomes)
}

/** The database takes no event of a batch. */
class Refused extends Error {}

async function insertPart(
  inserting: Inserting,
  batch: EventBatch,
  { isWhole }: { isWhole: boolean },
): Promise<BatchOutcome> {
  const { events, reasons } = newEvents(batch)
  // What is read here is to have what the batch has just written: a claim of its own that is overlooked is an event lost.
  const own = causal(inserting.rows, null)
  try {
    const ids = events.map(({ row }) => row._id)
    const inner = { ...inserting, rows: own.rows }
    let row = await beginBatch(own.rows, batch.id, inserting.owner, ids)
    if (row.state === 'left') {
      await inserting.endBatch(row)
      row = await beginBatch(own.rows, batch.id, inserting.owner, ids)
    }
    if (row.state === 'prep') {
      const { outcome, summary } = await store(inner, batch, row, events, reasons)
      if (isWhole && outcome.doubtful?.length === batch.events.length) {
        await forgetBatch(own.rows, row)
        throw new Refused(outcome.reasons[0])
      }
      const figures = figuresOf(summary)
      const finished = await finishBatch(own.rows, row, outcome, figures)
      row = finished.row
      if (row.state === 'done') await inserting.folder.add(batch.id, finished.isOwn ? figures : null)
    }
    if (row.state === 'left' || row.state === 'ended')
      throw new AppError('unavailable', `Batch ${batch.id} is being brought to its end by others.`)
    return outcomeOf(row)
  } catch (error) {
    if (error instanceof Refused) throw error
    throw error instanceof AppError && error.code === 'unavailable' ? error : unavailable(inserting.place, error)
  } finally {
    await own.end()
  }
}

/** Steps 2 and 3. */
async function store(
  inserting: Inserting,
  batch: EventBatch,
  begun: Pick<BatchRow, '_id' | 'begunAt'>,
  events: NewEvent[],
  unfit: Record<number, string>,
): Promise<{ outcome: BatchOutcome; summary: Summary }> {
  const reasons = { ...unfit }
  const fates = new Array<EventFate>(batch.events.length).fill('refused')
  const zones = await zonesOf(inserting.rows, inserting.zones, new Set(events.map(({ event }) => event.siteId)))
  const firstMonth = await firstMonthFor(inserting.rows, events)
  const own = new Map<string, NewEvent>()
  const repeated: [event: NewEvent, first: NewEvent][] = []
  for (const event of events) {
    const first = own.get(event.row._id)
    if (!zones.has(event.event.siteId)) reasons[event.index] = 'siteId is of no site'
    else if (event.month < firstMonth) reasons[event.index] = notKept(firstMonth)
    else if (first) repeated.push([event, first])
    else own.set(event.row._id, event)
  }
  const tag = claimTag(begun)
  const doubtful: number[] = []
  const isRefused = (event: NewEvent, reason: string) => {
    reasons[event.index] = reason
    doubtful.push(event.index)
    own.delete(event.row._id)
  }
  const { taken, instead, refused } = await claim(inserting, begun, [...own.values()])
  for (const event of taken.keys()) own.delete(event.row._id)
  for (const [event, reason] of refused) isRefused(event, reason)
  const beside = new Map<string, NewEvent>()
  const setAside = (event: NewEvent, holder: number | undefined) => {
    const other = isBesideClaim(holder, event.digest, event.event.type) ? underAnotherId(event) : null
    if (other && !beside.has(other.row._id)) beside.set(other.row._id, other)
    else isDuplicate(event, other ? beside.get(other.row._id)!.digest : holder)
  }
  const isDuplicate = (event: NewEvent, holder: number | undefined) => {
    fates[event.index] = 'duplicate'
    if (isOtherEvent(holder, event.digest)) reasons[event.index] = ID_OF_ANOTHER
  }
  for (const [event, holder] of taken) setAside(event, holder)
  for (const [event, first] of repeated) setAside(event, taken.has(first) ? taken.get(first) : first.digest)
  if (beside.size > 0) {
    await noteIds(inserting.rows, begun, [...events.map(({ row }) => row._id), ...beside.keys()])
    const more = await claim(inserting, begun, [...beside.values()])
    for (const [event, holder] of more.taken) {
      isDuplicate(event, holder)
      beside.delete(event.row._id)
    }
    for (const [event, reason] of more.refused) {
      isRefused(event, reason)
      beside.delete(event.row._id)
    }
    for (const [id, event] of beside) own.set(id, event)
    for (const [event, month] of more.instead) instead.set(event, month)
  }
  for (const [event, reason] of await insertRows(inserting, tag, [...own.values()], instead)) isRefused(event, reason)
  const summary: Summary = new Map()
  for (const { index, event, reading } of own.values()) {
    fates[index] = 'stored'
    siteSummary(summary, event.siteId).add(event, zones.get(event.siteId)!, reading)
  }
  doubtful.sort((a, b) => a - b)
  return { outcome: countFates(fates, sorted(reasons), doubtful), summary }
}

function underAnotherId(event: NewEvent): NewEvent {
  const eventId = idBesideClaim(event.event.eventId)
  const row = { ...event.row, _id: plainRowId(event.event.siteId, eventId) }
  return { ...event, event: { ...event.event, eventId }, row }
}

/** The first month that is kept. Asked for after the batch has begun (retention.ts), and only where it may matter. */
async function firstMonthFor(rows: Collections, events: NewEvent[]): Promise<number> {
  const youngest = Date.now() - ALWAYS_KEPT_MS
  return events.some(({ event }) => event.occurredAt < youngest) ? keptFrom(rows) : 0
}

/**
 * Writes rows whose ids are claimed: one that is there was written by an earlier try, unless it is one that another batch
 * has left, in the month that `instead` says. Returns those that cannot be written.
 */
async function insertRows(
  { rows, months }: Inserting,
  tag: string,
  events: NewEvent[],
  instead: Map<NewEvent, number>,
): Promise<Map<NewEvent, string>> {
  const reasons = new Map<NewEvent, string>()
  for (const month of new Set(instead.values())) {
    const left = [...instead].filter(([, ofRow]) => ofRow === month).map(([event]) => event.row._id)
    await rows.events(month).deleteMany({ _id: { $in: left } })
  }
  for (const month of new Set(events.map((event) => event.month))) {
    if (!months.has(month)) await prepareMonth(rows, month)
    months.add(month)
    const ofMonth = events.filter((event) => event.month === month)
    const insertion = rows.events(month).insertMany(
      ofMonth.map((event) => event.row),
      { ordered: false },
    )
    const { refused } = await unwritten(insertion)
    for (const [index, reason] of refused) reasons.set(ofMonth[index]!, reason)
  }
  // Their ids are free again: a mended event may come under the same one.
  const ids = [...reasons.keys()].map((event) => event.row._id)
  if (ids.length > 0) await rows.claims.deleteMany({ _id: { $in: ids }, batch: tag })
  return reasons
}

/** In the order of the events. */
function sorted(reasons: Record<number, string>): Record<number, string> {
  return Object.fromEntries(Object.entries(reasons).sort(([a], [b]) => Number(a) - Number(b)))
}
