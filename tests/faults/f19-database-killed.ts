import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom } from '../../server/demo/random.ts'
import { compareStore } from './compare.ts'
import { ensure, type Fault } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { settled } from './shop-process.ts'

/** What the database confirmed it has, and everything else is written again. */
export const databaseKilled: Fault = {
  id: 'F19',
  title: 'the database killed at random instants under load, and started on its data',
  only: 'mongo',
  short: { rounds: 3, seconds: 0.6 },
  long: { rounds: 50, seconds: 1 },
  async run({ seed, rounds, seconds, data, shop, step }) {
    const random = createRandom(seed, 19)
    const obligations = new Obligations()
    const own = await data()
    const { mongo } = own
    ensure(mongo !== null, 'there is no MongoDB')
    const server = await shop(own, { FLUSH_INTERVAL_MS: '20' })
    await server.start()
    const load = startLoad({ seed, obligations, port: () => server.port, clients: 8, eventsPerSecond: 600 })
    for (let round = 1; round <= rounds; round++) {
      obligations.step = `round ${round}`
      const [afterMs, awayMs] = [random.next() * 2 * seconds * 1000, random.next() * 500].map(Math.round) as [
        number,
        number,
      ]
      step(`round ${round} of ${rounds}: killed after ${afterMs} ms of load, away for ${awayMs} ms`)
      await sleep(afterMs)
      await mongo.stop('SIGKILL')
      await sleep(awayMs)
      await mongo.start()
    }
    step('a living database again')
    const counts = await load.stop()
    const { flushFailures } = await settled(server.url, 120_000)
    ensure(counts.accepted === counts.requests, `requests failed: ${JSON.stringify(counts)}`)
    ensure(flushFailures > 0, 'no batch met a dead database')
    const comparison = await compareStore(own, obligations)
    ensure(comparison.deadLetters === 0, 'a dead database made events dead letters')
    await server.stop()
    return { comparisons: [comparison], figures: { kills: rounds, failures: flushFailures, requests: counts.requests } }
  },
}
