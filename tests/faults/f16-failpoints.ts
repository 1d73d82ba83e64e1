import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom, type Random } from '../../server/demo/random.ts'
import type { MongoProcess } from '../mongo/mongo-process.ts'
import { compareStore } from './compare.ts'
import { ensure, type Fault } from './fault.ts'
import { startLoad } from './load.ts'
import { Obligations } from './obligations.ts'
import { settled } from './shop-process.ts'
import { shuffled } from './shuffled.ts'

const writeCommands = ['insert', 'update', 'findAndModify', 'delete']
const commands = [...writeCommands, 'find']
/** How long a fault is left to meet its command. */
const PAUSE_MS = 150

interface Trouble {
  name: string
  arm(mongo: MongoProcess, random: Random): Promise<unknown>
}

/** By the fail point that every MongoDB for tests has. */
function failing(what: string, command: string, data: object): Trouble {
  return {
    name: `${command}: ${what}`,
    arm: (mongo, random) =>
      mongo.admin({
        configureFailPoint: 'failCommand',
        mode: { times: 1 + random.int(3) },
        data: { failCommands: [command], appName: 'veritas', ...data },
      }),
  }
}

/** After the command took effect, which only the stand-in can do. */
function failingLate(what: string, command: string, data: object): Trouble {
  return {
    name: `${command}: ${what}`,
    arm: (mongo, random) =>
      mongo.admin({
        standIn: 'failNext',
        command,
        times: 1 + random.int(2),
        skip: random.int(4),
        afterApply: true,
        ...data,
      }),
  }
}

const unconfirmed = { writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' } }
const troubles = [
  ...commands.flatMap((command) => [
    failing('an error that passes', command, { errorCode: 91 }),
    failing('an error of no known kind', command, { errorCode: 8 }),
    failing('the connection ends before it', command, { closeConnection: true }),
    failing('half a second of silence', command, { blockConnection: true, blockTimeMS: 500 }),
  ]),
  ...writeCommands.map((command) => failing('no majority confirms it', command, unconfirmed)),
]
const lateTroubles = writeCommands.flatMap((command) => [
  failingLate('the connection ends after it', command, { closeConnection: true }),
  failingLate('an error after it', command, { code: 11602 }),
])

/** Every command that a batch is made of goes wrong in every way, again and again, while events come. */
export const failpoints: Fault = {
  id: 'F16',
  title: 'MongoDB fails at insert, update, find, findAndModify and delete, before and after the write',
  only: 'mongo',
  short: { rounds: 1, seconds: 0 },
  long: { rounds: 20, seconds: 0 },
  async run({ seed, rounds, data, shop, step }) {
    const random = createRandom(seed, 16)
    const obligations = new Obligations()
    const own = await data()
    const { mongo } = own
    ensure(mongo !== null, 'there is no MongoDB')
    const server = await shop(own, { FLUSH_INTERVAL_MS: '20' })
    await server.start()
    const load = startLoad({ seed, obligations, port: () => server.port, clients: 8, eventsPerSecond: 600 })
    const all = mongo.isStandIn ? [...troubles, ...lateTroubles] : troubles
    let armed = 0
    for (let round = 1; round <= rounds; round++)
      for (const { name, arm } of shuffled(random, all)) {
        step(`round ${round} of ${rounds}: ${name}`)
        obligations.step = `round ${round}: ${name}`
        await arm(mongo, random)
        armed += 1
        await sleep(PAUSE_MS * (0.5 + random.next()))
      }
    await mongo.admin({ configureFailPoint: 'failCommand', mode: 'off' })
    if (mongo.isStandIn) await mongo.admin({ standIn: 'clear' })
    step('a well database again')
    const counts = await load.stop()
    const { flushFailures } = await settled(server.url)
    ensure(counts.accepted === counts.requests, `requests failed: ${JSON.stringify(counts)}`)
    ensure(flushFailures > armed / 20, `of ${armed} faults only ${flushFailures} were met`)
    const comparison = await compareStore(own, obligations)
    ensure(comparison.deadLetters === 0, 'a fault of the database made events dead letters')
    await server.stop()
    return { comparisons: [comparison], figures: { armed, failures: flushFailures, requests: counts.requests } }
  },
}
