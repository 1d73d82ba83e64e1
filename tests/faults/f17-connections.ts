import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom, type Random } from '../../server/demo/random.ts'
import { compareStore } from './compare.ts'
import { ensure, type Fault } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { settled } from './shop-process.ts'
import { shuffled } from './shuffled.ts'
import { startProxy, type TcpProxy, type Toxic, toxiproxy } from './toxiproxy.ts'

const both = (type: string, attributes: Record<string, number>): Toxic[] => [
  { type, stream: 'upstream', attributes },
  { type, stream: 'downstream', attributes },
]
const answers = (type: string, attributes: Record<string, number>): Toxic[] => [
  { type, stream: 'downstream', attributes },
]
const commands = (type: string, attributes: Record<string, number>): Toxic[] => [
  { type, stream: 'upstream', attributes },
]

/** What a network does to the connections between server and database. */
const troubles: Record<string, (random: Random) => Toxic[] | 'cut'> = {
  'every connection is cut': () => 'cut',
  'delays of up to half a second': (random) => both('latency', { latency: random.int(250), jitter: 250 }),
  '30 KB a second': () => both('bandwidth', { rate: 30 }),
  'answers end in the middle': (random) => answers('limit_data', { bytes: random.int(3000) }),
  'commands end in the middle': (random) => commands('limit_data', { bytes: random.int(30_000) }),
  // The write is done, and nobody hears so.
  'answers get lost, then the connection': (random) => answers('timeout', { timeout: 1 + random.int(500) }),
  'commands get lost, then the connection': (random) => commands('timeout', { timeout: 1 + random.int(500) }),
  'one half is silent and stays open': () => answers('timeout', { timeout: 0 }),
  'connections are reset': (random) => answers('reset_peer', { timeout: random.int(300) }),
  'commands come in pieces': () => commands('slicer', { average_size: 200, size_variation: 100, delay: 200 }),
  'closing takes its time': () => both('slow_close', { delay: 700 }),
}

/** Longer than the server waits for an answer to a write: it must give up by itself. */
const SILENCE_MS = 25_000

export const connections: Fault = {
  id: 'F17',
  title: 'connections to MongoDB that are cut, slow, limited, half open or silent',
  only: 'mongo',
  short: { rounds: 1, seconds: 0.3 },
  long: { rounds: 10, seconds: 1 },
  needs: toxiproxy,
  async run({ seed, rounds, seconds, data, shop, step, atEnd }) {
    const random = createRandom(seed, 17)
    const obligations = new Obligations()
    const own = await data()
    const address = new URL(own.env.STORE_URL ?? '')
    const proxy = await startProxy(Number(address.port), seed)
    atEnd(() => proxy.close())
    address.port = String(proxy.port)
    const server = await shop({ ...own, env: { STORE_URL: address.href } }, { FLUSH_INTERVAL_MS: '20' })
    await server.start()
    const load = startLoad({ seed, obligations, port: () => server.port, clients: 8, eventsPerSecond: 600 })
    const meet = async (proxy: TcpProxy, name: string, ms: number) => {
      const trouble = troubles[name]!(random)
      await (trouble === 'cut' ? proxy.cut() : proxy.add(trouble))
      await sleep(ms)
      await proxy.clear()
      await sleep(ms / 2)
    }
    for (let round = 1; round <= rounds; round++)
      for (const name of shuffled(random, Object.keys(troubles))) {
        step(`round ${round} of ${rounds}: ${name}`)
        obligations.step = `round ${round}: ${name}`
        await meet(proxy, name, 2 * seconds * 1000 * random.next())
      }
    if (rounds > 1) {
      step(`silence for ${SILENCE_MS / 1000} s`)
      await meet(proxy, 'one half is silent and stays open', SILENCE_MS)
    }
    step('a well network again')
    const counts = await load.stop()
    const { flushFailures } = await settled(server.url, 120_000)
    ensure(counts.accepted === counts.requests, `requests failed: ${JSON.stringify(counts)}`)
    ensure(flushFailures > 0, 'no batch met any of it')
    const comparison = await compareStore(own, obligations)
    ensure(comparison.deadLetters === 0, 'the network made events dead letters')
    await server.stop()
    return { comparisons: [comparison], figures: { rounds, failures: flushFailures, requests: counts.requests } }
  },
}
