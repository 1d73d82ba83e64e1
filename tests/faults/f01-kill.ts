import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom } from '../../server/demo/random.ts'
import { compareStore } from './compare.ts'
import type { Fault } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { settled } from './shop-process.ts'

/** Kills the server at any point; the next process on its data must continue where it stopped. */
export const kill: Fault = {
  id: 'F1',
  title: 'SIGKILL at random instants under load',
  short: { rounds: 6, seconds: 0.6 },
  long: { rounds: 200, seconds: 1 },
  async run({ seed, rounds, seconds, data, shop, step }) {
    const random = createRandom(seed, 1)
    const obligations = new Obligations()
    const own = await data()
    const server = await shop(own, { WAL_SEGMENT_BYTES: String(9 * 1024 * 1024) })
    let whileStarting = 0
    await server.start()
    const load = startLoad({ seed, obligations, port: () => server.port, clients: 8, eventsPerSecond: 600 })
    for (let round = 1; round <= rounds; round++) {
      obligations.step = `round ${round}`
      // Kill every third process before it listens, while it reads the log.
      if (round % 3 === 0) {
        const afterMs = 100 + random.int(900)
        step(`round ${round} of ${rounds}: killed ${afterMs} ms after its start`)
        server.launch()
        await sleep(afterMs)
        whileStarting++
      } else {
        if (server.pid === 0) await server.start()
        const afterMs = Math.round(random.next() * 2 * seconds * 1000)
        step(`round ${round} of ${rounds}: killed after ${afterMs} ms of load`)
        await sleep(afterMs)
      }
      await server.stop('SIGKILL')
    }
    await server.start()
    const counts = await load.stop()
    if (counts.wrong.length > 0) throw new Error(`wrong answers: ${counts.wrong.slice(0, 3).join('; ')}`)
    const { events } = await settled(server.url)
    const comparison = await compareStore(own, obligations)
    await server.stop()
    return {
      comparisons: [comparison],
      figures: {
        kills: rounds,
        whileStarting,
        requests: counts.requests,
        unanswered: counts.lost,
        recoveredAtTheEnd: events.recovered,
      },
    }
  },
}
