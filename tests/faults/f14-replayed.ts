import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../shop.ts'
import { compareStore } from './compare.ts'
import { openDoor } from './door.ts'
import { refusingEvents } from './f07-mixed-outcomes.ts'
import { ensure, type Fault, type FaultRun } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { settled, waiting } from './shop-process.ts'

export const replayed: Fault = {
  id: 'F14',
  title: 'a copy of the log put back after it was stored, twice; dead letters replayed twice',
  short: { rounds: 2, seconds: 1 },
  long: { rounds: 10, seconds: 10 },
  async run(run) {
    const log = await copiedLog(run)
    const letters = await lettersTwice(run)
    return { comparisons: [log.comparison, letters.comparison], figures: { ...log.figures, ...letters.figures } }
  },
}

/** Events of a batch of the reader that has no log on disk; the other takes thousands. */
const OTHER_BATCH = 50

async function copiedLog({ seed, rounds, seconds, data, folder, shop, step }: FaultRun) {
  const own = await data()
  const { dataDir } = own
  const copies = folder()
  const obligations = new Obligations()
  const hoarding = await shop(own, { FLUSH_INTERVAL_MS: '60000', FLUSH_EVENTS: '10000' })
  const server = await shop(own, {}, hoarding.port)
  // Its batches have other boundaries, so that the store knows the events but not the batches. It has no log on disk.
  const other = await shop(own, { FLUSH_EVENTS: String(OTHER_BATCH), INGEST_ACK: 'memory' }, hoarding.port)
  await hoarding.start()
  const load = startLoad({ seed, obligations, port: () => hoarding.port, clients: 8, eventsPerSecond: 800 })
  await sleep(seconds * 1000)
  // More than both readers take at once, or they would cut the same batches, which the store knows as a whole.
  await waiting(hoarding.url, 4 * OTHER_BATCH)
  await load.stop()
  const copied = await waiting(hoarding.url)
  await hoarding.stop('SIGKILL')
  const wal = join(dataDir, 'wal')
  cpSync(wal, copies, { recursive: true })
  await server.start()
  await settled(server.url)
  await server.stop()
  let duplicate = 0
  for (let round = 1; round <= rounds; round++) {
    const [reader, without] = round % 2 === 0 ? [other, true] : [server, false]
    step(`copy ${round} of ${rounds} put back${without ? ' without its checkpoint' : ''}`)
    // Put back as a slot without an owner, beside the existing ones.
    for (const slot of readdirSync(copies).filter((name) => readdirSync(join(copies, name)).includes('checkpoint'))) {
      const folder = join(wal, String(10 + round * 4 + Number(slot)))
      cpSync(join(copies, slot), folder, { recursive: true })
      if (without) rmSync(join(folder, 'checkpoint'))
    }
    await reader.start()
    const { events } = await settled(reader.url)
    ensure(events.recovered === copied, `recovered ${events.recovered} of ${copied}`)
    duplicate += events.duplicate
    await reader.stop()
  }
  ensure(duplicate > 0 || rounds < 2, 'no event of a copy was a duplicate')
  const comparison = await compareStore(own, obligations)
  return { comparison, figures: { copied, copies: rounds, duplicate } }
}

async function lettersTwice({ seed, data, folder, step }: FaultRun) {
  const own = await data()
  const { dataDir } = own
  const copies = folder()
  const obligations = new Obligations()
  let refusing = true
  const door = await openDoor({
    data: own,
    wrap: (store) => refusingEvents(store, (event) => refusing && event.type === 'search'),
    retryMs: 0.1,
  })
  step('dead letters')
  const load = startLoad({ seed, obligations, port: () => door.port, clients: 4, eventsPerSecond: 300 })
  await sleep(300)
  await eventually(async () => ensure((await door.deadLetters.count()) > 0, 'no dead letters'))
  await load.stop()
  await door.settled()
  // Each one looked at: the count may be of a moment before.
  const letters = (await door.deadLetters.list(10_000)).length
  ensure(letters > 0, 'no dead letters')
  const dir = join(dataDir, 'dead-letters')
  cpSync(dir, copies, { recursive: true })
  refusing = false
  step('dead letters replayed')
  const once = await door.deadLetters.replay(door.store)
  ensure(once.stored === letters, `of ${letters} letters: ${JSON.stringify(once)}`)
  // As if the folder had been restored from a backup.
  cpSync(copies, dir, { recursive: true })
  const twice = await Promise.all([door.deadLetters.replay(door.store), door.deadLetters.replay(door.store)])
  ensure(
    twice.every(({ stored, refused }) => stored + refused === 0),
    `again: ${JSON.stringify(twice)}`,
  )
  await door.close()
  return { comparison: await compareStore(own, obligations), figures: { letters } }
}
