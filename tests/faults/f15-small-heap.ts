import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../shop.ts'
import { compareStore } from './compare.ts'
import { ensure, type Fault } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { health, settled } from './shop-process.ts'

const MIB = 1024 * 1024
/** Waiting events are on disk: memory may grow by uncollected garbage, but not with the backlog. */
const MAX_GROWTH = 96 * MIB
const WARM_REQUESTS = 100

export const smallHeap: Fault = {
  id: 'F15',
  title: 'a heap of 128 MB with the store away under load',
  short: { rounds: 1, seconds: 3 },
  long: { rounds: 1, seconds: 180 },
  async run({ seed, seconds, data, shop, step }) {
    const obligations = new Obligations()
    const own = await data()
    const server = await shop(own, { NODE_OPTIONS: '--max-old-space-size=128' })
    await server.start()
    const { pid } = server
    const load = startLoad({ seed, obligations, port: () => server.port, clients: 12, eventsPerSecond: 2500 })
    // Warm-up: memory for the first requests does not count as growth.
    await eventually(async () => ensure(load.counts.accepted >= WARM_REQUESTS, 'the server does not get warm'))
    const giveBack = await own.takeAway()
    step('store away')
    await sleep(1000)
    const before = await health(server.url)
    let most = before.memory.rss
    let waiting = 0
    let walBytes = 0
    for (const until = Date.now() + seconds * 1000; Date.now() < until; await sleep(250)) {
      const now = await health(server.url)
      most = Math.max(most, now.memory.rss)
      waiting = now.events.waiting
      walBytes = now.walBytes
    }
    await giveBack()
    step('store back')
    const counts = await load.stop()
    const after = await settled(server.url, 120_000)
    ensure(server.pid === pid, 'the server was lost')
    ensure(counts.accepted === counts.requests, `requests failed: ${JSON.stringify(counts)}`)
    ensure(waiting > 0, 'nothing waited: the store was not away')
    ensure(most - before.memory.rss < MAX_GROWTH, `memory grew from ${before.memory.rss} to ${most} bytes`)
    const comparison = await compareStore(own, obligations)
    await server.stop()
    const figures = { rssBefore: before.memory.rss, rssMost: most, rssAfter: after.memory.rss, waiting, walBytes }
    return { comparisons: [comparison], figures }
  },
}
