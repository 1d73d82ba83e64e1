import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../../errors.ts'
import type { Collections } from '../collections.ts'
import type { BatchRow, ClaimRow } from '../rows.ts'
import { unwritten } from './bulk.ts'
import type { NewEvent } from './new-events.ts'
import { areGone } from './writers.ts'

/** Claims that are read back at once: a list costs a server more a key the longer it is. */
const STEP_IDS = 1000
/** How long a batch waits for an older one that has claimed one of its ids and is not finished. */
const OTHERS_MS = 2000
const WAIT_MS = 20

type Begun = Pick<BatchRow, '_id' | 'begunAt'>

/**
 * Who claims ids: the batch in the life of its ledger row. Rows go some time after their fold; should the log hand such a
 * batch out once more, it finds its old claims to be another's, and its events duplicates.
 */
export function claimTag({ _id, begunAt }: Begun): string {
  return `${_id} ${begunAt.getTime()}`
}

/** The batch and the beginning of its life, epoch milliseconds, that a claim is of. */
function lifeOf(tag: string): { batch: string; begunAt: number } {
  const place = tag.lastIndexOf(' ')
  return { batch: tag.slice(0, place), begunAt: Number(tag.slice(place + 1)) }
}

export interface Claims {
  /** Events whose ids another batch has, and the digest of the event that it has them for. */
  taken: Map<NewEvent, number | undefined>
  /** Events of which a batch that did not come to its end may have left a row, and its month. */
  instead: Map<NewEvent, number>
  /** Events whose claims the database does not take, and why. */
  refused: Map<NewEvent, string>
}

export interface Claiming {
  rows: Collections
  adopts?: string
  /** Brings a batch to its end whose process is gone. */
  endBatch(batch: BatchRow): Promise<void>
}

/**
 * Claims the ids of the events for the batch. Claims of a life that ended are void and are taken over. An older batch
 * that is not finished yet may lose its process before it writes the row, so that its claim would swallow the event:
 * the younger one waits for it, and brings it to its end when its process is gone.
 */
export async function claim(claiming: Claiming, begun: Begun, events: NewEvent[]): Promise<Claims> {
  const { claims } = claiming.rows
  const tag = claimTag(begun)
  const result: Claims = { taken: new Map(), instead: new Map(), refused: new Map() }
  if (events.length === 0) return result
  const rows = events.map(({ row, month, digest }) => ({ _id: row._id, batch: tag, month, digest }))
  const { duplicates, refused } = await unwritten(claims.insertMany(rows, { ordered: false }))
  for (const [index, reason] of refused) result.refused.set(events[index]!, reason)
  const deadline = performance.now() + OTHERS_MS
  for (let left = duplicates.map((index) => events[index]!); left.length > 0; ) {
    const again: NewEvent[] = []
    for (let from = 0; from < left.length; from += STEP_IDS)
      again.push(...(await lookAt(claiming, begun, left.slice(from, from + STEP_IDS), result)))
    if (again.length > 0 && performance.now() > deadline)
      throw new AppError('unavailable', 'Another batch has claimed ids of this one and is not finished yet.')
    if (again.length > 0) await sleep(WAIT_MS)
    left = again
  }
  return result
}

/** Sorts events whose ids are claimed. Returns those that are to be looked at again. */
async function lookAt(claiming: Claiming, begun: Begun, events: NewEvent[], result: Claims): Promise<NewEvent[]> {
  const { rows, adopts } = claiming
  const tag = claimTag(begun)
  const byId = new Map(events.map((event) => [event.row._id, event]))
  const found = await rows.claims.find({ _id: { $in: [...byId.keys()] } }).toArray()
  const others = await ledgerOf(rows, found, tag)
  const void_: ClaimRow[] = []
  const waitsFor = new Map<string, BatchRow>()
  const again: NewEvent[] = []
  const there = new Set<string>()
  for (const claimed of found) {
    there.add(claimed._id)
    const event = byId.get(claimed._id)!
    // An earlier try of this batch may have claimed it.
    if (claimed.batch === tag) {
      if (claimed.instead !== undefined) result.instead.set(event, claimed.instead)
      continue
    }
    const { batch, begunAt } = lifeOf(claimed.batch)
    const other = others.get(batch)
    if (other?.ended?.includes(begunAt) && (other.state !== 'left' || claimed.batch === adopts)) void_.push(claimed)
    else if (other && isOpen(other, begunAt) && isOlder(other, begun)) {
      waitsFor.set(other._id, other)
      again.push(event)
    } else result.taken.set(event, claimed.digest)
  }
  const takeOver = void_.map((claimed) => {
    const { month, digest } = byId.get(claimed._id)!
    const instead = claimed.batch === adopts ? {} : { instead: claimed.instead ?? claimed.month }
    return {
      updateOne: {
        filter: { _id: claimed._id, batch: claimed.batch },
        update: { $set: { batch: tag, month, ...(digest !== undefined && { digest }), ...instead } },
      },
    }
  })
  if (takeOver.length > 0) await rows.claims.bulkWrite(takeOver, { ordered: false })
  again.push(...void_.map(({ _id }) => byId.get(_id)!))
  // A claim that was given back meanwhile is free.
  const free = events.filter((event) => !there.has(event.row._id))
  if (free.length > 0) {
    const inserted = free.map(({ row, month, digest }) => ({ _id: row._id, batch: tag, month, digest }))
    await unwritten(rows.claims.insertMany(inserted, { ordered: false }))
    again.push(...free)
  }
  for (const other of await areGone(rows, [...waitsFor.values()])) await claiming.endBatch(other)
  return again
}

async function ledgerOf(
  { ledger }: Collections,
  claims: readonly ClaimRow[],
  own: string,
): Promise<Map<string, BatchRow>> {
  const ids = new Set(claims.filter(({ batch }) => batch !== own).map(({ batch }) => lifeOf(batch).batch))
  if (ids.size === 0) return new Map()
  const wanted = {
    _id: { $in: [...ids] },
    $or: [{ state: { $in: ['prep' as const, 'left' as const] } }, { ended: { $exists: true } }],
  }
  const found = await ledger.find(wanted, { projection: { summary: 0, ids: 0 } }).toArray()
  return new Map(found.map((row) => [row._id, row]))
}

/** Whether that life is not at its end; of a life that others are ending, too. */
function isOpen({ state, begunAt }: BatchRow, life: number): boolean {
  return (state === 'prep' || state === 'left') && begunAt.getTime() === life
}

/** The younger waits for the older, so that no two wait for each other; for what others are ending everybody waits. */
function isOlder(other: BatchRow, own: Begun): boolean {
  if (other.state === 'left') return true
  const [a, b] = [other.begunAt.getTime(), own.begunAt.getTime()]
  return a < b || (a === b && other._id < own._id)
}
