import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom } from '../../server/demo/random.ts'
import type { Fault } from './fault.ts'
import { troubleMongo } from './troubled-mongo.ts'

/** What the database has confirmed must survive; everything else is written again. */
export const databaseKilled: Fault = {
  id: 'F19',
  title: 'the database killed at random instants under load, and started on its data',
  only: 'mongo',
  short: { rounds: 3, seconds: 0.6 },
  long: { rounds: 50, seconds: 1 },
  async run(run) {
    const random = createRandom(run.seed, 19)
    return troubleMongo(run, {
      async happens({ mongo, at }) {
        for (let round = 1; round <= run.rounds; round++) {
          const afterMs = Math.round(random.next() * 2 * run.seconds * 1000)
          const awayMs = Math.round(random.next() * 500)
          at(round, `killed after ${afterMs} ms of load, away for ${awayMs} ms`)
          await sleep(afterMs)
          await mongo.stop('SIGKILL')
          await sleep(awayMs)
          await mongo.start()
        }
        return { kills: run.rounds }
      },
      leastFailures: () => 0,
    })
  },
}
