import type { MongoProcess } from '../mongo/mongo-process.ts'
import { compareStore } from './compare.ts'
import { ensure, type FaultReport, type FaultRun } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { settled } from './shop-process.ts'

export interface Scene {
  mongo: MongoProcess
  /** Sets the current step, for the runner and for later differences. */
  at(round: number, name: string): void
}

export interface Trouble {
  /** Address of the database for the server, if it differs from the one the test uses. */
  route?(storeUrl: string): Promise<string>
  /** Causes trouble while events arrive. Resolves to figures to print once everything works again. */
  happens(scene: Scene): Promise<FaultReport['figures']>
  /** Minimum number of retries that must have occurred; with fewer, the trouble had no effect. */
  leastFailures(figures: FaultReport['figures']): number
}

/** Time limit for storing the waiting events after the trouble. */
const SETTLE_MS = 300_000

/**
 * Runs a shop on MongoDB under constant load while something happens to the database. Every request must be accepted,
 * every event stored once, and none become a dead letter.
 */
export async function troubleMongo(
  { seed, rounds, data, shop, step }: FaultRun,
  { route, happens, leastFailures }: Trouble,
): Promise<FaultReport> {
  const obligations = new Obligations()
  const own = await data()
  const { mongo } = own
  ensure(mongo !== null, 'there is no MongoDB')
  const env = route ? { STORE_URL: await route(own.env.STORE_URL ?? '') } : own.env
  const server = await shop({ ...own, env }, { FLUSH_INTERVAL_MS: '20' })
  await server.start()
  const load = startLoad({ seed, obligations, port: () => server.port, clients: 8, eventsPerSecond: 600 })
  const figures = await happens({
    mongo,
    at(round, name) {
      step(`round ${round} of ${rounds}: ${name}`)
      obligations.step = `round ${round}: ${name}`
    },
  })
  step('all is well again')
  const counts = await load.stop()
  const { flushFailures } = await settled(server.url, SETTLE_MS)
  ensure(counts.accepted === counts.requests, `requests failed: ${JSON.stringify(counts)}`)
  ensure(flushFailures > leastFailures(figures), `only ${flushFailures} failures: ${JSON.stringify(figures)}`)
  const comparison = await compareStore(own, obligations)
  ensure(comparison.deadLetters === 0, 'trouble with the database made events dead letters')
  await server.stop()
  return { comparisons: [comparison], figures: { ...figures, failures: flushFailures, requests: counts.requests } }
}
