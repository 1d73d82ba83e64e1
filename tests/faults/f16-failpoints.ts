import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom, type Random } from '../../server/demo/random.ts'
import type { MongoProcess } from '../mongo/mongo-process.ts'
import type { Fault } from './fault.ts'
import { shuffled } from './shuffled.ts'
import { troubleMongo } from './troubled-mongo.ts'

const writeCommands = ['insert', 'update', 'findAndModify', 'delete']
const commands = [...writeCommands, 'find']
/** How long to wait for a command to hit the fault. */
const PAUSE_MS = 150

interface Failure {
  name: string
  arm(mongo: MongoProcess, random: Random): Promise<unknown>
}

/** A failure before the command takes effect, by MongoDB's own fail point for tests. */
function failing(what: string, command: string, data: object): Failure {
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

/** A failure after the command has taken effect, which only the stand-in supports. */
function failingLate(what: string, command: string, data: object): Failure {
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
const failures = [
  ...commands.flatMap((command) => [
    failing('an error that passes', command, { errorCode: 91 }),
    failing('an error of no known kind', command, { errorCode: 8 }),
    failing('the connection ends before it', command, { closeConnection: true }),
    failing('half a second of silence', command, { blockConnection: true, blockTimeMS: 500 }),
  ]),
  ...writeCommands.map((command) => failing('no majority confirms it', command, unconfirmed)),
]
const lateFailures = writeCommands.flatMap((command) => [
  failingLate('the connection ends after it', command, { closeConnection: true }),
  failingLate('an error after it', command, { code: 11602 }),
])

/** Every MongoDB command of a batch fails in every way, repeatedly, while events arrive. */
export const failpoints: Fault = {
  id: 'F16',
  title: 'MongoDB fails at insert, update, find, findAndModify and delete, before and after the write',
  only: 'mongo',
  short: { rounds: 1, seconds: 0 },
  long: { rounds: 20, seconds: 0 },
  async run(run) {
    const random = createRandom(run.seed, 16)
    return troubleMongo(run, {
      async happens({ mongo, at }) {
        const all = mongo.isStandIn ? [...failures, ...lateFailures] : failures
        let armed = 0
        for (let round = 1; round <= run.rounds; round++)
          for (const { name, arm } of shuffled(random, all)) {
            at(round, name)
            await arm(mongo, random)
            armed += 1
            await sleep(PAUSE_MS * (0.5 + random.next()))
          }
        await mongo.admin({ configureFailPoint: 'failCommand', mode: 'off' })
        if (mongo.isStandIn) await mongo.admin({ standIn: 'clear' })
        return { armed }
      },
      leastFailures: ({ armed }) => Number(armed) / 20,
    })
  },
}
