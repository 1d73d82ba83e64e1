import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom } from '../../server/demo/random.ts'
import { AppError } from '../../server/errors.ts'
import type { BatchOutcome, EventBatch, EventWriting } from '../../server/store/store.ts'
import { eventually } from '../shop.ts'
import { compareStore } from './compare.ts'
import { openDoor } from './door.ts'
import { ensure, type Fault } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { shuffled } from './shuffled.ts'

const AWAY = () => new AppError('unavailable', 'no answer: the outcome is unknown')

/** Behaviors of a store across a network; each entry is one way to answer a batch, or not to answer. */
const ways: Record<string, (store: EventWriting, batch: EventBatch) => Promise<BatchOutcome>> = {
  wellBehaved: (store, batch) => store.insertBatch(batch),
  async tenTimesSlower(store, batch) {
    const started = performance.now()
    const outcome = await store.insertBatch(batch)
    await sleep(10 * (performance.now() - started))
    return outcome
  },
  async hangsAndFails() {
    await sleep(400)
    throw AWAY()
  },
  async hangsAndStores(store, batch) {
    await sleep(400)
    return store.insertBatch(batch)
  },
  async answerLost(store, batch) {
    await store.insertBatch(batch)
    throw AWAY()
  },
  /** An error that says nothing about the store's state: it must not make an event a dead letter. */
  async answerLostOddly(store, batch) {
    await store.insertBatch(batch)
    throw new Error(`socket hang up ${Math.random()}`)
  },
  /** Half of the batch is stored under another batch id, as after a crash of a store without transactions. */
  async halfApplied(store, batch) {
    await store.insertBatch({ id: `${batch.id} half`, events: batch.events.slice(0, batch.events.length / 2) })
    throw AWAY()
  },
  /** A call that was given up takes effect after the call that replaced it. */
  async appliedLate(store, batch) {
    void sleep(300)
      .then(() => store.insertBatch(batch))
      .catch(() => {})
    throw AWAY()
  },
}

export const storeFaults: Fault = {
  id: 'F6',
  title: 'a store that hangs, slows down, loses answers, applies a half or too late',
  short: { rounds: 1, seconds: 3 },
  long: { rounds: 1, seconds: 60 },
  async run({ seed, seconds, data, step }) {
    const own = await data()
    const random = createRandom(seed, 6)
    const obligations = new Obligations()
    const used = new Map<string, number>()
    let faulty = true
    let order: string[] = []
    /** Uses each way once before repeating any. */
    const next = () => {
      if (order.length === 0) order = shuffled(random, Object.keys(ways))
      return order.pop()!
    }
    const door = await openDoor({
      data: own,
      retryMs: 5,
      wrap: (store) => ({
        insertBatch(batch) {
          const name = faulty ? next() : 'wellBehaved'
          used.set(name, (used.get(name) ?? 0) + 1)
          return ways[name]!(store, batch)
        },
      }),
    })
    step('store faulty under load')
    const load = startLoad({ seed, obligations, port: () => door.port, clients: 8, eventsPerSecond: 1500 })
    await sleep(seconds * 1000)
    await eventually(async () => ensure(used.size === Object.keys(ways).length, 'not every fault has happened'))
    const counts = await load.stop()
    faulty = false
    step('store well again')
    await door.settled()
    await sleep(400)
    ensure(counts.accepted === counts.requests, `requests failed: ${JSON.stringify(counts)}`)
    ensure(used.size === Object.keys(ways).length, `only ${[...used.keys()].join(', ')} happened`)
    ensure((await door.deadLetters.count()) === 0, 'a fault of the store made events dead letters')
    await door.close()
    return { comparisons: [await compareStore(own, obligations)], figures: Object.fromEntries(used) }
  },
}
