import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom } from '../../server/demo/random.ts'
import { compareStore } from './compare.ts'
import { ensure, type Fault } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { type ShopProcess, settled } from './shop-process.ts'

/**
 * Each server has its own log and folds batches that either has finished; a survivor completes a dead server's fold.
 */
export const twoServers: Fault = {
  id: 'F18',
  title: 'two servers with folders of their own on one database, one killed again and again',
  only: 'mongo',
  short: { rounds: 4, seconds: 0.6 },
  long: { rounds: 50, seconds: 1 },
  async run({ seed, rounds, seconds, data, folder, shop, step }) {
    const random = createRandom(seed, 18)
    const obligations = new Obligations()
    const own = await data()
    const otherDir = folder()
    const survivor = await shop(own, { FLUSH_INTERVAL_MS: '20' })
    const mortal = await shop({ ...own, dataDir: otherDir }, { FLUSH_INTERVAL_MS: '20' })
    await Promise.all([survivor.start(), mortal.start()])
    const post = (server: ShopProcess, number: number) =>
      startLoad({ seed: seed + number, obligations, port: () => server.port, clients: 4, eventsPerSecond: 300 })
    const loads = [post(survivor, 1), post(mortal, 2)]
    for (let round = 1; round <= rounds; round++) {
      obligations.step = `round ${round}`
      if (mortal.pid === 0) await mortal.start()
      const afterMs = Math.round(random.next() * 2 * seconds * 1000)
      step(`round ${round} of ${rounds}: killed after ${afterMs} ms of load`)
      await sleep(afterMs)
      await mortal.stop('SIGKILL')
    }
    step('both live')
    await mortal.start()
    const [lived, died] = await Promise.all(loads.map((load) => load.stop()))
    ensure(lived?.accepted === lived?.requests, `requests to the survivor failed: ${JSON.stringify(lived)}`)
    ensure(died?.wrong.length === 0, `wrong answers: ${died?.wrong[0]}`)
    const [one, other] = [await settled(survivor.url), await settled(mortal.url)]
    const comparison = await compareStore(own, obligations, [otherDir])
    await Promise.all([survivor.stop(), mortal.stop()])
    const figures = {
      kills: rounds,
      unanswered: died?.lost ?? 0,
      storedBySurvivor: one.events.stored,
      recoveredAtTheEnd: other.events.recovered,
    }
    return { comparisons: [comparison], figures }
  },
}
