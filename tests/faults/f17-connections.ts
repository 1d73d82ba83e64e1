import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom, type Random } from '../../server/demo/random.ts'
import type { Fault } from './fault.ts'
import { shuffled } from './shuffled.ts'
import { startProxy, type TcpProxy, type Toxic, toxiproxy } from './toxiproxy.ts'
import { troubleMongo } from './troubled-mongo.ts'

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

/** Network faults between server and database. */
const troubles: Record<string, (random: Random) => Toxic[] | 'cut'> = {
  'every connection is cut': () => 'cut',
  'delays of up to half a second': (random) => both('latency', { latency: random.int(250), jitter: 250 }),
  '30 KB a second': () => both('bandwidth', { rate: 30 }),
  'answers end in the middle': (random) => answers('limit_data', { bytes: random.int(3000) }),
  'commands end in the middle': (random) => commands('limit_data', { bytes: random.int(30_000) }),
  // The write is applied, but its answer is lost.
  'answers get lost, then the connection': (random) => answers('timeout', { timeout: 1 + random.int(500) }),
  'commands get lost, then the connection': (random) => commands('timeout', { timeout: 1 + random.int(500) }),
  'one half is silent and stays open': () => answers('timeout', { timeout: 0 }),
  'connections are reset': (random) => answers('reset_peer', { timeout: random.int(300) }),
  'commands come in pieces': () => commands('slicer', { average_size: 200, size_variation: 100, delay: 200 }),
  'closing takes its time': () => both('slow_close', { delay: 700 }),
}

/** Longer than the server's timeout for writes, so that the server must give up by itself. */
const SILENCE_MS = 25_000

export const connections: Fault = {
  id: 'F17',
  title: 'connections to MongoDB that are cut, slow, limited, half open or silent',
  only: 'mongo',
  short: { rounds: 1, seconds: 0.3 },
  long: { rounds: 10, seconds: 1 },
  needs: toxiproxy,
  async run(run) {
    const random = createRandom(run.seed, 17)
    let proxy: TcpProxy
    const meet = async (name: string, ms: number) => {
      const trouble = troubles[name]!(random)
      await (trouble === 'cut' ? proxy.cut() : proxy.add(trouble))
      await sleep(ms)
      await proxy.clear()
      await sleep(ms / 2)
    }
    return troubleMongo(run, {
      async route(storeUrl) {
        const address = new URL(storeUrl)
        proxy = await startProxy(Number(address.port), run.seed)
        run.atEnd(() => proxy.close())
        address.port = String(proxy.port)
        return address.href
      },
      async happens({ at }) {
        for (let round = 1; round <= run.rounds; round++)
          for (const name of shuffled(random, Object.keys(troubles))) {
            at(round, name)
            await meet(name, 2 * run.seconds * 1000 * random.next())
          }
        if (run.rounds > 1) {
          at(run.rounds, `silence for ${SILENCE_MS / 1000} s`)
          await meet('one half is silent and stays open', SILENCE_MS)
        }
        return { rounds: run.rounds }
      },
      leastFailures: () => 0,
    })
  },
}
