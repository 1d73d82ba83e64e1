import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Owner, processFacts } from '../../server/ingest/wal/owner.ts'
import { eventually } from '../shop.ts'
import { compareStore } from './compare.ts'
import { ensure, type Fault } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { health, type ShopProcess, settled, waiting } from './shop-process.ts'

/** Settings with which a server stores nothing: all accepted events stay in its log. */
const HOARDING = { FLUSH_INTERVAL_MS: '60000', FLUSH_EVENTS: '10000' }

export const slots: Fault = {
  id: 'F13',
  title: 'two processes race for a data folder, one is killed, its pid is given out again, its lock is stale',
  short: { rounds: 1, seconds: 1 },
  long: { rounds: 20, seconds: 5 },
  async run({ seed, rounds, seconds, data, shop, step }) {
    const comparisons = []
    let adopted = 0
    let adoptedMs = 0
    for (let round = 1; round <= rounds; round++) {
      // A new folder, so that both servers create store, secret and slots at the same time.
      const own = await data()
      const { dataDir } = own
      const obligations = new Obligations()
      const hoarder = await shop(own, HOARDING)
      const survivor = await shop(own)
      step(`round ${round} of ${rounds}: both start on a new folder`)
      await Promise.all([hoarder.start(), survivor.start()])
      ensure(slotsOf(dataDir).length >= 2, 'two processes share a slot')
      const post = (server: ShopProcess, load: number) =>
        startLoad({
          seed: seed + 10 * round + load,
          obligations,
          port: () => server.port,
          clients: 4,
          eventsPerSecond: 500,
        })
      const loads = [post(hoarder, 1), post(survivor, 2)]
      await sleep(seconds * 1000)

      step(`round ${round} of ${rounds}: one is killed, the other adopts its log`)
      obligations.step = 'killed'
      const left = await waiting(hoarder.url)
      await Promise.all(loads.map((load) => load.stop()))
      await hoarder.stop('SIGKILL')
      const started = Date.now()
      await eventually(async () => {
        const { recovered } = (await health(survivor.url)).events
        ensure(recovered >= left, `of ${left} events in the log of a dead process ${recovered} were adopted`)
      })
      adoptedMs = Math.max(adoptedMs, Date.now() - started)
      adopted += left
      await settled(survivor.url)
      await survivor.stop()

      step(`round ${round} of ${rounds}: the pid in a lock belongs to another process by now`)
      await hoarder.start()
      const more = post(hoarder, 3)
      await waiting(hoarder.url)
      await more.stop()
      await hoarder.stop('SIGKILL')
      const self = processFacts.self()
      relabel(dataDir, { ...self, startedAt: '1' })
      await survivor.start()
      const reused = await settled(survivor.url)
      ensure(reused.events.recovered > 0, 'a slot was left alone because its pid is in use by another process')
      await survivor.stop()

      step(`round ${round} of ${rounds}: a slot of a live process is left alone`)
      await hoarder.start()
      const last = post(hoarder, 4)
      await waiting(hoarder.url)
      await last.stop()
      await hoarder.stop('SIGKILL')
      relabel(dataDir, self)
      await survivor.start()
      ensure((await health(survivor.url)).events.recovered === 0, 'a slot of a live process was taken over')
      await survivor.stop()
      relabel(dataDir, { ...self, pid: 2 ** 22 + 1 })
      await survivor.start()
      ensure((await settled(survivor.url)).events.recovered > 0, 'a stale lock was respected')
      comparisons.push(await compareStore(own, obligations))
      await survivor.stop()
    }
    return { comparisons, figures: { adopted, adoptedMs } }
  },
}

function slotsOf(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'wal')).filter((name) => /^\d+$/.test(name))
}

/** Changes the owner in every lock that is held. */
function relabel(dataDir: string, owner: Owner): void {
  for (const slot of slotsOf(dataDir)) {
    const folder = join(dataDir, 'wal', slot)
    for (const name of readdirSync(folder).filter((file) => /^lock-\d+$/.test(file))) {
      const path = join(folder, name)
      if (!readFileSync(path, 'utf8').includes('released')) writeFileSync(path, JSON.stringify(owner))
    }
  }
}
