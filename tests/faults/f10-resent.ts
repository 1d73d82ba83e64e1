import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom } from '../../server/demo/random.ts'
import { eventually } from '../shop.ts'
import { compareStore } from './compare.ts'
import { ensure, type Fault } from './fault.ts'
import { type ShopRequest, startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { post } from './post.ts'
import { settled } from './shop-process.ts'

export const resent: Fault = {
  id: 'F10',
  title: 'every request one to five times, to two processes on one data folder, at once and after a restart',
  short: { rounds: 1, seconds: 1.5 },
  long: { rounds: 5, seconds: 30 },
  async run({ seed, rounds, seconds, data, shop, step }) {
    const own = await data()
    const random = createRandom(seed, 10)
    const obligations = new Obligations()
    const taken: ShopRequest[] = []
    const first = await shop(own)
    const second = await shop(own)
    step('both start')
    await Promise.all([first.start(), second.start()])
    let requests = 0
    let again = 0
    for (let round = 1; round <= rounds; round++) {
      step(`round ${round} of ${rounds}: copies at once`)
      obligations.step = `round ${round}`
      const load = startLoad({
        seed: seed + round,
        obligations,
        port: () => random.pick([first, second]).port,
        clients: 8,
        eventsPerSecond: 300,
        copies: () => 1 + random.int(5),
        onTaken: (request) => taken.push(request),
      })
      await sleep(seconds * 1000)
      // Of each half is posted again.
      await eventually(async () => ensure(taken.length > 20, `only ${taken.length} requests were taken`))
      const counts = await load.stop()
      requests += counts.requests
      ensure(counts.accepted === counts.requests, `requests failed: ${JSON.stringify(counts)}`)
      step(`round ${round} of ${rounds}: copies later`)
      await settled(first.url)
      await settled(second.url)
      await Promise.all([first.stop(), second.stop()])
      await Promise.all([first.start(), second.start()])
      const agent = new Agent({ keepAlive: true })
      for (const { body, headers, events } of taken) {
        if (random.chance(0.5)) continue
        const answer = await post({ port: random.pick([first, second]).port, agent }, body, headers)
        ensure('status' in answer && answer.status === 202, `a copy was answered ${JSON.stringify(answer)}`)
        obligations.promise(events, (JSON.parse(answer.body) as { eventIds: string[] }).eventIds)
        again++
      }
      agent.destroy()
    }
    await settled(first.url)
    const { events } = await settled(second.url)
    ensure(events.duplicate > 0, 'no copy was a duplicate')
    const comparison = await compareStore(own, obligations)
    await Promise.all([first.stop(), second.stop()])
    return { comparisons: [comparison], figures: { requests, later: again } }
  },
}
