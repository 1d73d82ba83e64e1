import { BSON, type Collection, type Db, type Document } from 'mongodb'
import { AppError } from '../../errors.ts'
import { livingHost } from '../living-host.ts'
import { foldOwn } from './audit/own-fold.ts'
import { createConnections, reaching } from './client.ts'
import { type Collections, collectionsOf } from './collections.ts'
import { prepareDatabase, prepareMonth } from './indexes.ts'
import { createLogBoard } from './logs.ts'
import { formatOf } from './migrate.ts'
import { type BatchRow, type HeadRow, rollupNames } from './rows.ts'
import { MONGO_FORMAT } from './steps.ts'
import { applyPlan } from './write/apply.ts'
import { claimTag } from './write/claims.ts'
import { readHead } from './write/head.ts'
import { keepPlans, plansBetween } from './write/kept-plans.ts'
import { forgetPlans, unpackRows } from './write/plan.ts'

/** What is told of an archive while it is made. */
export interface ArchiveFacts {
  /** The oldest format that a program must know to use what is in it. */
  format: number
  /** Tags of claims to leave out when it is put back. */
  unfinished: string[]
}

/** Some rows of a collection, as BSON one after another. Those of a collection come together and in order. */
export interface Part {
  collection: string
  rows: number
  bytes: Buffer
}

const { serialize, deserialize } = BSON

const PART_BYTES = 8 * 1024 * 1024
const READ_ROWS = 2000
const INSERT_ROWS = 2000
const HOLD_TIMEOUT_MS = 60_000
/** Clocks of machines differ less. */
const SKEW_MS = 10 * 60_000

/** Rows that change with folds, and rows that change by themselves. */
const FOLDED = rollupNames
const FREE = ['accounts', 'logins', 'invitations', 'tokens', 'keys', 'jobs', 'marks'] as const

/**
 * Everything of a database. Figures are read while folds go on; the plans of those folds are in the archive too, and bring
 * them to the state after the last one when it is put back. Claims and events are only ever added and are read afterwards;
 * `facts.unfinished` then has the tags of claims to leave out: of batches that the figures cannot know, whose events are in
 * the log still or were not promised when this began.
 */
export async function* archiveMongo(url: string, facts: ArchiveFacts): AsyncGenerator<Part> {
  const { writing, place, connect, close } = createConnections(url)
  const rows = collectionsOf(writing)
  try {
    await reaching(place, connect)
    const meta = await rows.meta.findOne({ _id: 'store' })
    if (meta) {
      formatOf(meta)
      facts.format = Math.max(meta.version, PLANS_FORMAT)
    }
    const plans = await keepPlans(rows)
    const known = new Set<string>()
    const recently = new Date(Date.now() - SKEW_MS)
    try {
      // The next fold that begins keeps its plan: everybody has read the head since.
      if (!(await foldOwn(rows, async () => []))) throw restless()
      const { applied: first } = await readHead(rows)
      for (const name of FOLDED)
        for await (const part of partsOf(writing, rows[name])) {
          plans.assertKept()
          yield part
        }
      const { head, done, sites } = await atRest(rows, async (head) => {
        const done = await rows.ledger.find({ state: 'done' }).toArray()
        for (const row of [...done, ...(await foldedSince(rows, recently))]) known.add(claimTag(row))
        return { head, done, sites: await rows.sites.find().toArray() }
      })
      const last = head.applied
      yield partOf('sites', sites)
      yield partOf('ledger', done)
      const { time: _, keep: __, ...bare } = head
      yield partOf('fold', [{ ...bare, ...IDLE }])
      for await (const plan of plansBetween(rows, first, last)) {
        yield partOf(rows.plans.collectionName, [plan])
        plans.assertKept()
      }
    } finally {
      await plans.end()
    }
    for (const name of FREE) yield* partsOf(writing, rows[name])
    // In this order, so that no event is without its claim.
    for (const { _id: month } of await rows.months.find().sort({ _id: 1 }).toArray())
      yield* partsOf(writing, rows.events(month))
    yield* partsOf(writing, rows.claims)
    const open = { state: { $in: ['prep' as const, 'left' as const, 'done' as const] } }
    const begun = await rows.ledger.find(open, { projection: { begunAt: 1 } }).toArray()
    // Claims of lives that ended are void.
    for (const { _id, ended = [] } of await rows.ledger.find({ ended: { $exists: true } }).toArray())
      for (const life of ended) facts.unfinished.push(claimTag({ _id, begunAt: new Date(life) }))
    for (const row of [...begun, ...(await foldedSince(rows, recently))]) {
      const tag = claimTag(row)
      if (!known.has(tag)) facts.unfinished.push(tag)
    }
  } finally {
    await close()
  }
}

function foldedSince({ ledger }: Collections, since: Date): Promise<BatchRow[]> {
  return ledger.find({ foldedAt: { $gte: since } }, { projection: { begunAt: 1 } }).toArray()
}

/** Some reads between two folds: a fold of nothing that is worked on, and is taken over if this process dies. */
async function atRest<T>(rows: Collections, read: (head: HeadRow) => Promise<T>): Promise<T> {
  const deadline = performance.now() + HOLD_TIMEOUT_MS
  while (performance.now() < deadline) {
    let found: { answer: T } | null = null
    await foldOwn(rows, async () => {
      const before = await readHead(rows)
      const answer = await read(before)
      const after = await readHead(rows)
      // Another process goes on with the fold of one that took too long.
      if (after.applied === before.applied && after.owner === before.owner) found = { answer }
      return null
    })
    if (found) return (found as { answer: T }).answer
  }
  throw restless()
}

function restless(): AppError {
  return new AppError('unavailable', 'The figures do not come to rest; try again when fewer events come in.')
}

function partOf(collection: string, docs: readonly object[]): Part {
  return { collection, rows: docs.length, bytes: Buffer.concat(docs.map((doc) => serialize(doc))) }
}

const IDLE = { phase: 'idle' as const, batches: [], plan: '', parts: 0, owner: '', beat: 0, hold: '' }

async function* partsOf(database: Db, { collectionName: name }: { collectionName: string }): AsyncGenerator<Part> {
  let docs: Uint8Array[] = []
  let bytes = 0
  const cursor = database.collection(name).find({}, { raw: true, sort: { _id: 1 }, batchSize: READ_ROWS })
  for (let first = await cursor.next(); first !== null; first = await cursor.next())
    for (const doc of [first, ...cursor.readBufferedDocuments()] as unknown as Uint8Array[]) {
      // The driver reads several into one buffer.
      docs.push(Buffer.from(doc))
      bytes += doc.length
      if (bytes < PART_BYTES) continue
      yield { collection: name, rows: docs.length, bytes: Buffer.concat(docs) }
      docs = []
      bytes = 0
    }
  if (docs.length > 0) yield { collection: name, rows: docs.length, bytes: Buffer.concat(docs) }
}

/** Programs of before would put the figures back without the plans. */
const PLANS_FORMAT = 2

/** The newest format of an archive that this program puts back. */
export const archiveFormat = MONGO_FORMAT

/** On which machine a server runs that takes events into this database; null where none does. */
export function hostOfServer(url: string): Promise<string | null> {
  return withDatabase(url, (rows) => livingHost(createLogBoard(rows)))
}

/** Whether a database has anything of a shop in it. */
export async function isEmptyMongo(url: string): Promise<boolean> {
  return withDatabase(url, async (rows) => {
    for (const collection of [rows.sites, rows.accounts, rows.claims, rows.users])
      if (await (collection as unknown as Collection).findOne({}, { projection: { _id: 1 } })) return false
    return (await rows.meta.findOne({ _id: 'store' }))?.restoring !== true
  })
}

/**
 * Fills a database with the parts of an archive; whatever was in it is removed first. Until the end no program opens
 * it; then it is brought from the format of the archive to that of this program. Returns the rows by collection, of which those of unfinished batches are left out.
 */
export async function restoreMongo(
  url: string,
  parts: readonly { collection: string; read(): Promise<Buffer> }[],
  unfinished: readonly string[],
  format: number,
): Promise<Record<string, number>> {
  return withDatabase(url, async (rows, database, long) => {
    // Also for programs that do not know the mark: a format that none of them has.
    const mark = { version: Number.MAX_SAFE_INTEGER, restoring: true } as const
    await rows.meta.replaceOne({ _id: 'store' }, mark, { upsert: true })
    await dropOthers((await long()).database, rows.meta.collectionName)
    const skippedTags = new Set(unfinished)
    const skippedIds = new Set<unknown>()
    const counts: Record<string, number> = {}
    const months: number[] = []
    const isOfClaims = ({ collection }: { collection: string }) => collection === rows.claims.collectionName
    const ordered = [...parts.filter(isOfClaims), ...parts.filter((part) => !isOfClaims(part))]
    for (const part of ordered) {
      const { collection } = part
      const month = /^events_(\d{6})$/.exec(collection)?.[1]
      if (month && months.at(-1) !== Number(month)) months.push(Number(month))
      let docs = readDocuments(await part.read())
      if (isOfClaims(part)) {
        for (const { _id, batch } of docs) if (skippedTags.has(batch)) skippedIds.add(_id)
        docs = docs.filter(({ batch }) => !skippedTags.has(batch))
      } else if (month) docs = docs.filter(({ _id }) => !skippedIds.has(_id))
      while (docs.length > 0) {
        const some = docs.splice(0, INSERT_ROWS)
        await database.collection(collection).insertMany(some, { ordered: false })
        counts[collection] = (counts[collection] ?? 0) + some.length
      }
    }
    await applyPlans(rows)
    for (const month of months) await prepareMonth(await long(), month)
    await rows.meta.replaceOne({ _id: 'store' }, { version: format })
    await prepareDatabase(rows, { again: true, long })
    return counts
  })
}

/** Brings figures that were read while folds went on to the state after the last of these. */
async function applyPlans(rows: Collections): Promise<void> {
  await rows.plans.createIndex({ fold: 1 })
  for (;;) {
    const next = await rows.plans.findOne({}, { sort: { fold: 1 }, projection: { fold: 1 } })
    if (!next) return
    const { fold } = next
    const parts = await rows.plans.find({ fold }).toArray()
    await applyPlan(
      rows,
      fold,
      parts.flatMap((part) => unpackRows(part.rows)),
      async () => {},
    )
    await forgetPlans(rows, fold)
  }
}

/** One by one: the role readWrite, which is all that Veritas asks for, may not drop a database. */
async function dropOthers(database: Db, kept: string): Promise<void> {
  for (const { name } of await database.listCollections({}, { nameOnly: true }).toArray())
    if (name !== kept && !name.startsWith('system.')) await database.collection(name).drop()
}

function readDocuments(bytes: Buffer): Document[] {
  const docs: Document[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readInt32LE(at)
    docs.push(deserialize(bytes.subarray(at, at + length), { promoteLongs: false }))
    at += length
  }
  return docs
}

async function withDatabase<T>(
  url: string,
  work: (rows: Collections, database: Db, long: () => Promise<Collections>) => Promise<T>,
): Promise<T> {
  const { writing, place, long, connect, close } = createConnections(url)
  try {
    await reaching(place, connect)
    return await reaching(place, () => work(collectionsOf(writing), writing, async () => collectionsOf(await long())))
  } finally {
    await close()
  }
}
