import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../free-port.ts'
import { compareStore } from './compare.ts'
import { ensure, type Fault, type FaultRun } from './fault.ts'
import { type LoadCounts, startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { createPm2 } from './pm2.ts'
import { settled } from './shop-process.ts'

const DEADLINE_MS = 1000
/** Extra time for closing connections and exiting; generous, for a machine that stalls. */
const GRACE_MS = 20_000

export const restarts: Fault = {
  id: 'F12',
  title: 'SIGTERM and pm2 reload under load',
  short: { rounds: 2, seconds: 0.5 },
  long: { rounds: 50, seconds: 1 },
  async run(run) {
    const parts = [await terminated(run), await terminatedWithStoreAway(run), await reloaded(run)]
    return {
      comparisons: parts.map(({ comparison }) => comparison),
      figures: Object.assign({}, ...parts.map(({ figures }) => figures)),
    }
  },
}

/**
 * Restarts a single process. In between, connections are refused or reset by the system. But every request that the
 * server read must be answered: no event may be stored without its client knowing.
 */
async function terminated({ seed, rounds, seconds, data, shop, step }: FaultRun) {
  const obligations = new Obligations()
  const own = await data()
  const server = await shop(own)
  const all = { requests: 0, lost: 0, unsent: 0 }
  let longestMs = 0
  for (let round = 1; round <= rounds; round++) {
    step(`SIGTERM ${round} of ${rounds}`)
    obligations.step = `SIGTERM ${round}`
    await server.start()
    const load = startLoad({
      seed: seed + round,
      obligations,
      port: () => server.port,
      clients: 8,
      eventsPerSecond: 600,
      fresh: 0.2,
      retrying: 0,
    })
    await sleep(seconds * 1000)
    const started = Date.now()
    const code = await server.stop('SIGTERM')
    longestMs = Math.max(longestMs, Date.now() - started)
    const counts = await load.stop()
    failOn(counts, 'nobody there')
    ensure(code === 0, `the process ended with ${code}: ${server.output().slice(-500)}`)
    all.requests += counts.requests
    all.lost += counts.lost
    all.unsent += counts.unsent
  }
  const comparison = await compareStore(own, obligations)
  ensure(
    comparison.stored === comparison.promised,
    `${comparison.stored - comparison.promised} events are in without a 202`,
  )
  const { requests, lost, unsent } = all
  return { comparison, figures: { terms: rounds, termRequests: requests, refused: unsent, reset: lost, longestMs } }
}

/** The shutdown deadline must hold even if the store does not answer; events not stored by then stay in the log. */
async function terminatedWithStoreAway({ seed, data, shop, step }: FaultRun) {
  const obligations = new Obligations()
  const own = await data()
  const server = await shop(own, { SHUTDOWN_TIMEOUT_MS: String(DEADLINE_MS) })
  await server.start()
  const giveBack = await own.takeAway()
  step('SIGTERM with the store away')
  const load = startLoad({ seed, obligations, port: () => server.port, clients: 4, eventsPerSecond: 500 })
  await sleep(500)
  await load.stop()
  const started = Date.now()
  const code = await server.stop('SIGTERM')
  const awayMs = Date.now() - started
  await giveBack()
  ensure(awayMs < DEADLINE_MS + GRACE_MS, `it took ${awayMs} ms to end, with a deadline of ${DEADLINE_MS} ms`)
  ensure(code !== 0, 'it ended as if everything were stored')
  ensure(server.output().includes('the deadline came before'), `it said nothing: ${server.output().slice(-500)}`)
  await server.start()
  await settled(server.url)
  const comparison = await compareStore(own, obligations)
  await server.stop()
  return { comparison, figures: { endedWithStoreAwayMs: awayMs } }
}

/** PM2 starts the new process before ending the old one: no request may fail, on old or new connections. */
async function reloaded({ seed, rounds, data, step }: FaultRun) {
  const obligations = new Obligations()
  const own = await data()
  const port = await freePort()
  const settings = { SITE_TIME_ZONE: 'UTC', LOG_LEVEL: 'warn', DEMO: 'false' }
  const pm2 = createPm2({ ...settings, ...own.env, DATA_DIR: own.dataDir, PORT: String(port) })
  try {
    step('npm run start:pm2')
    await pm2.start()
    const url = `http://127.0.0.1:${port}`
    const first = await pm2.list()
    const load = startLoad({
      seed,
      obligations,
      port: () => port,
      clients: 12,
      eventsPerSecond: 600,
      maxBatch: 10,
      fresh: 0.3,
      retrying: 0,
    })
    let longestMs = 0
    for (let round = 1; round <= rounds; round++) {
      step(`pm2 reload ${round} of ${rounds}`)
      obligations.step = `reload ${round}`
      const started = Date.now()
      await pm2.start()
      longestMs = Math.max(longestMs, Date.now() - started)
      failOn(load.counts)
    }
    const counts = await load.stop()
    failOn(counts)
    await settled(url)
    const last = await pm2.list()
    ensure(last.length === first.length && last.every(({ pm2_env }) => pm2_env.status === 'online'), 'not online')
    ensure(last[0]?.pm2_env.restart_time === rounds, `${last[0]?.pm2_env.restart_time} restarts in ${rounds} reloads`)
    const comparison = await compareStore(own, obligations)
    await pm2.run('stop', 'all')
    return {
      comparison,
      figures: { reloads: rounds, reloadRequests: counts.requests, failed: 0, longestReloadMs: longestMs },
    }
  } finally {
    await pm2.close()
  }
}

function failOn({ requests, accepted, lost, refused, unsent, wrong }: LoadCounts, allowed?: 'nobody there'): void {
  const failed = refused + wrong.length + (allowed ? 0 : unsent + lost)
  ensure(
    failed === 0,
    `of ${requests} requests ${accepted} were taken, ${lost} lost, ${refused} refused, ${unsent} not sent, ${wrong}`,
  )
}
