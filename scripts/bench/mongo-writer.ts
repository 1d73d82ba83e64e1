/**
 * Writes events to MongoDB in a process of its own, so that its CPU time can be measured. Writes three batches at once,
 * either through the store with all its guarantees, or only the event rows with insertMany.
 * Arguments: url, kind of load. Answers each order (WriteOrder) with a Written message.
 */
import { MongoClient } from 'mongodb'
import { collectionsOf } from '../../server/store/mongo/collections.ts'
import { prepareMonth } from '../../server/store/mongo/indexes.ts'
import { createMongoStore } from '../../server/store/mongo/store.ts'
import { newEvents } from '../../server/store/mongo/write/new-events.ts'
import { type EventBatch, eventSeq, type StoredEvent } from '../../server/store/store.ts'
import { createShoppers } from './shoppers.mjs'

export interface WriteOrder {
  way: 'engine' | 'plain'
  batches: number
  eventsPerBatch: number
}

export interface Written {
  events: number
  elapsedMs: number
  /** CPU time of all threads of this process, in microseconds, without generating the events. */
  cpuUs: number
}

const AT_ONCE = 3
const site = { id: 'shop', name: 'Shop', timeZone: 'Europe/Berlin', currency: 'EUR' }
const [url = '', kind = 'shop'] = process.argv.slice(2) as [string, 'shop' | 'wide']
const nextEvent = createShoppers(kind, 'mongo')
let made = 0
let stored = 0

function nextBatch(events: number): EventBatch {
  const receivedAt = Date.now()
  made += 1
  return {
    id: `${kind}-${process.pid}-${made}`,
    events: Array.from({ length: events }, (_, index): StoredEvent => {
      const event = JSON.parse(nextEvent()) as Omit<StoredEvent, 'siteId' | 'receivedAt' | 'seq' | 'issues'>
      return { ...event, siteId: site.id, receivedAt, seq: eventSeq(receivedAt, index), issues: null }
    }),
  }
}

const store = await createMongoStore({ url })
await store.saveSite(site)
const client = await new MongoClient(url, { writeConcern: { w: 'majority', j: true } }).connect()
const { databaseName } = client.db()

/** Inserts the same rows with the same index into a separate database, which is dropped after each order. */
async function plain(batches: EventBatch[]): Promise<(batch: EventBatch) => Promise<unknown>> {
  const rows = collectionsOf(client.db(`${databaseName}_plain`))
  const ready = new Map(batches.map((batch) => [batch.id, newEvents(batch).events]))
  const month = [...ready.values()][0]![0]!.month
  await prepareMonth(rows, month)
  return (batch) =>
    rows.events(month).insertMany(
      ready.get(batch.id)!.map(({ row }) => row),
      { ordered: false },
    )
}

async function write({ way, batches: count, eventsPerBatch }: WriteOrder): Promise<Written> {
  const batches = Array.from({ length: count }, () => nextBatch(eventsPerBatch))
  const insert = way === 'plain' ? await plain(batches) : (batch: EventBatch) => store.insertBatch(batch)
  const cpu = process.cpuUsage()
  const started = performance.now()
  const left = [...batches]
  const lane = async () => {
    for (let batch = left.shift(); batch; batch = left.shift()) await insert(batch)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  // Reading the totals waits until the figures include every event.
  if (way === 'engine') {
    const { events } = await store.totals(site.id)
    stored += count * eventsPerBatch
    if (events !== stored) throw new Error(`Stored ${stored} events but the figures have ${events}.`)
  }
  const elapsedMs = performance.now() - started
  const { user, system } = process.cpuUsage(cpu)
  if (way === 'plain') await client.db(`${databaseName}_plain`).dropDatabase()
  return { events: count * eventsPerBatch, elapsedMs, cpuUs: user + system }
}

process.on('message', async (order: WriteOrder) => process.send!(await write(order)))
process.on('disconnect', () => process.exit())
process.send!('ready')
