import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../server/errors.ts'
import { compareStore } from './compare.ts'
import { openDoor } from './door.ts'
import { ensure, type Fault, type FaultRun } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { health, settled } from './shop-process.ts'

const EVENTS_PER_SECOND = 2000

/** While the store is unreachable, events must still be accepted, and all of them be stored afterwards. */
export const storeAway: Fault = {
  id: 'F5',
  title: 'the store away under load, and for an hour on a virtual clock',
  short: { rounds: 1, seconds: 2 },
  long: { rounds: 1, seconds: 300 },
  async run(run) {
    const real = await awayUnderLoad(run)
    const virtual = await awayForAnHour(run)
    return { comparisons: [real.comparison, virtual.comparison], figures: { ...real.figures, ...virtual.figures } }
  },
}

/** SQLite: another process locks the file. MongoDB: it is stopped, and started again on its data. */
async function awayUnderLoad({ seed, seconds, data, shop, step }: FaultRun) {
  const obligations = new Obligations()
  const own = await data()
  const server = await shop(own)
  await server.start()
  const load = startLoad({
    seed,
    obligations,
    port: () => server.port,
    clients: 12,
    eventsPerSecond: EVENTS_PER_SECOND,
  })
  await sleep(300)
  step(`store away for ${seconds} s`)
  obligations.step = 'store away'
  const giveBack = await own.takeAway()
  const before = obligations.promised
  await sleep(seconds * 1000)
  const away = await health(server.url)
  const taken = obligations.promised - before
  step('store back')
  obligations.step = 'store back'
  const back = Date.now()
  await giveBack()
  await sleep(300)
  const counts = await load.stop()
  const after = await settled(server.url, 60_000 + seconds * 2000)
  const drainedMs = Date.now() - back
  ensure(counts.wrong.length === 0, `wrong answers: ${counts.wrong[0]}`)
  ensure(counts.lost + counts.unsent + counts.refused === 0, `requests failed: ${JSON.stringify(counts)}`)
  ensure(
    away.events.waiting > taken / 2,
    `only ${away.events.waiting} of ${taken} events waited: the store was not away`,
  )
  ensure(away.events.imbalance === 0, `the counters do not balance: ${JSON.stringify(away.events)}`)
  const comparison = await compareStore(own, obligations)
  await server.stop()
  const figures = {
    awaySeconds: seconds,
    takenMeanwhile: taken,
    waiting: away.events.waiting,
    walBytes: away.walBytes,
    drainedMs,
    rssAway: away.memory.rss,
    rssAfter: after.memory.rss,
  }
  return { comparison, figures }
}

/** Retries run on a clock 10,000 times as fast, so that the longest pause is 1 ms instead of 10 s. */
async function awayForAnHour({ seed, data, step }: FaultRun) {
  step('store away for an hour')
  const own = await data()
  const obligations = new Obligations()
  let tries = 0
  const hourTries = 3 * 360
  const door = await openDoor({
    data: own,
    retryMs: 1e-6,
    wrap: (store) => ({
      async insertBatch(batch) {
        if (tries++ < hourTries) throw new AppError('unavailable', 'the store is away')
        return store.insertBatch(batch)
      },
    }),
  })
  const load = startLoad({ seed, obligations, port: () => door.port, clients: 4, eventsPerSecond: EVENTS_PER_SECOND })
  const deadline = Date.now() + 60_000
  while (tries < hourTries && Date.now() < deadline) await sleep(20)
  const counts = await load.stop()
  await door.settled()
  ensure(tries > hourTries, `the store was asked only ${tries} times`)
  ensure(counts.accepted === counts.requests, `requests failed: ${JSON.stringify(counts)}`)
  ensure((await door.deadLetters.count()) === 0, 'events became dead letters because the store was away')
  await door.close()
  return { comparison: await compareStore(own, obligations), figures: { triesInTheHour: hourTries } }
}
