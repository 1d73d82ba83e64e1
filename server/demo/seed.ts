import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { EventBatch, Store } from '../store/store.ts'
import { createProgress } from './progress.ts'
import { type DemoOptions, demoBatches, demoDefaults } from './shop.ts'

const FILE = 'demo.json'
const whole = z.number().int().min(0)

/** What the demo in a data folder was made of: with it, seeding that was interrupted goes on with the same events. */
const madeOf = z.object({
  seed: whole,
  days: whole,
  users: whole,
  events: whole,
  endsAt: whole,
  siteId: z.string(),
  zone: z.string(),
  complete: z.boolean(),
})

/** What seeding needs of a store. */
export type DemoStore = Pick<Store, 'totals' | 'site' | 'saveSite' | 'insertBatch'>

export interface SeedInput {
  /** Epoch milliseconds; the newest event of a new demo is no later. */
  now: number
  /** demo.json is kept here. */
  dataDir: string
  onProgress?: (done: number, total: number) => void
  /** For a new demo; one that was begun keeps its own. */
  options?: Partial<Pick<DemoOptions, 'seed' | 'days' | 'users' | 'events'>>
}

/** "other events": the store has events that no demo put there, and was left as it is. */
export type SeedOutcome = 'seeded' | 'complete' | 'other events'

/**
 * Fills an empty store with the demo shop, or finishes what an earlier run began. Batches are idempotent by their id,
 * so being killed at any point and run again stores every event once.
 */
export async function seedDemo(store: DemoStore, input: SeedInput): Promise<SeedOutcome> {
  const { now, dataDir, onProgress = createProgress('Seeding the demo shop', 'events') } = input
  const siteId = demoDefaults.siteId
  const isEmpty = (await store.totals(siteId)).events === 0
  const begun = isEmpty ? null : readMadeOf(dataDir)
  if (!isEmpty && !begun) return 'other events'
  if (begun?.complete) return 'complete'
  const options = begun ?? { ...demoDefaults, ...input.options, endsAt: now, zone: await zoneOf(store, siteId) }
  if (!begun) writeMadeOf(dataDir, { ...options, complete: false })

  let done = 0
  async function insert(batch: EventBatch): Promise<void> {
    const outcome = await store.insertBatch(batch)
    if (outcome.refused > 0) throw new Error(`The store refused demo events: ${JSON.stringify(outcome.reasons)}`)
    done += batch.events.length
    onProgress(done, options.events)
  }
  // The next batch is made while the store writes this one.
  let underWay: Promise<void> = Promise.resolve()
  for (const batch of demoBatches(options)) {
    await underWay
    underWay = insert(batch)
  }
  await underWay
  writeMadeOf(dataDir, { ...options, complete: true })
  return 'seeded'
}

/** The site's own zone where it has one; a store that knows no site yet gets the demo's. */
async function zoneOf(store: DemoStore, siteId: string): Promise<string> {
  const site = await store.site(siteId)
  if (site) return site.timeZone
  const { timeZone } = await store.saveSite({
    id: siteId,
    name: 'Nordlicht Outdoor',
    timeZone: demoDefaults.zone,
    currency: 'EUR',
  })
  return timeZone
}

function readMadeOf(dataDir: string): z.infer<typeof madeOf> | null {
  try {
    return madeOf.parse(JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')))
  } catch {
    // No such file, or none of ours: then the events are not ours either.
    return null
  }
}

function writeMadeOf(dataDir: string, content: z.infer<typeof madeOf>): void {
  const file = join(dataDir, FILE)
  writeFileSync(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`)
  renameSync(`${file}.new`, file)
}
