import { assertDroppable } from '../unfit.ts'
import { READ_TIMEOUT_MS } from './client.ts'
import type { Collections } from './collections.ts'
import { mark, setMark } from './marks.ts'

const KEPT_FROM = 'events kept from'
/** The month up to which the ids of dropped events are gone. */
const IDS_FROM = 'event ids kept from'
/** Ids looked at in one step. */
const STEP_IDS = 10_000
const bounded = { maxTimeMS: READ_TIMEOUT_MS }

/** The first month (YYYYMM) whose events are kept; 0 when none was ever dropped. */
export async function keptFrom(rows: Collections): Promise<number> {
  // Of six digits each, so that texts are ordered as the months are.
  return Number((await mark(rows, KEPT_FROM)) ?? 0)
}

export async function eventMonths(rows: Collections): Promise<{ month: number; events: number }[]> {
  const months = await rows.months.find({}, bounded).sort({ _id: 1 }).toArray()
  return Promise.all(
    months.map(async ({ _id: month }) => ({ month, events: await rows.events(month).estimatedDocumentCount(bounded) })),
  )
}

/**
 * Drops what is older than the month. First of all every process learns that such events are refused: each batch that
 * has old events asks for the month after it has begun. A batch that had asked before may still write some; it counts
 * them as if they had come a little earlier, and the next run takes them away, for it looks at what is there and not at
 * what was dropped before.
 */
export async function dropMonthsBefore(rows: Collections, month: number, signal?: AbortSignal): Promise<number[]> {
  assertDroppable(month)
  await rows.marks.updateOne({ _id: KEPT_FROM }, { $max: { value: String(month) } }, { upsert: true })
  const first = await keptFrom(rows)
  const old = (await storedMonths(rows)).filter((stored) => stored < first)
  for (const month of old) {
    signal?.throwIfAborted()
    // Questions find months by their row.
    await rows.months.deleteOne({ _id: month })
    await rows.events(month).drop()
  }
  await rows.months.deleteMany({ _id: { $lt: first } })
  if (old.length > 0 || (await mark(rows, IDS_FROM)) !== String(first)) {
    await setMark(rows, IDS_FROM, null)
    await forgetIds(rows, first, signal)
    await setMark(rows, IDS_FROM, String(first))
  }
  return old
}

/** Months whose collection is there, whether or not it has a row. */
async function storedMonths(rows: Collections): Promise<number[]> {
  const found = await rows.months.db.listCollections({ name: /^events_\d{6}$/ }, { nameOnly: true }).toArray()
  return found.map(({ name }) => Number(name.slice('events_'.length))).sort((a, b) => a - b)
}

/** Step by step along the key, so that no command takes long. */
async function forgetIds({ claims }: Collections, first: number, signal?: AbortSignal): Promise<void> {
  let after = ''
  for (;;) {
    signal?.throwIfAborted()
    const end = await claims.findOne(
      { _id: { $gt: after } },
      { ...bounded, projection: { _id: 1 }, sort: { _id: 1 }, skip: STEP_IDS - 1 },
    )
    const range = end ? { $gt: after, $lte: end._id } : { $gt: after }
    await claims.deleteMany({ _id: range, month: { $lt: first } })
    if (!end) return
    after = end._id
  }
}
