import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { AppError } from '../server/errors.ts'
import { startMongoProcess } from '../tests/mongo/mongo-process.ts'
import { ownMongo } from '../tests/mongo/need.ts'
import { runOracle } from '../tests/oracle/run.ts'
import { end, listening, spawnServer } from './launch.ts'
import { command } from './open.ts'
import { createOptionCheck } from './options.ts'

const help = {
  about: `npm run oracle [-- options]

Posts random shops to new servers and compares every figure of their answers, journeys, lists and exports with plain
loops over what was posted: duplicates, late and equal times, repeated orders, claimed and verified amounts, sessions
over midnight and clock changes, six currencies. npm test runs two shops of it.

Options
  --store S    sqlite (default), or mongo: the mongod that MONGOMS_SYSTEM_BINARY names, else its stand-in
  --shops N    how many (20)
  --seed N     the first shop's; the next have the next numbers (default: a new one, printed)
  --help       this text`,
  examples: ['npm run oracle', 'npm run oracle -- --shops 1 --seed 42'],
  exits: { 0: 'no figure differs', 1: 'one does, or it failed: a line says why' },
} as const

const DIFFERENCES_SHOWN = 20

await command(help, async () => {
  const { values } = parseArgs({
    options: {
      store: { type: 'string', default: 'sqlite' },
      shops: { type: 'string' },
      seed: { type: 'string' },
    },
  })
  if (values.store !== 'sqlite' && values.store !== 'mongo')
    throw new AppError('invalid_input', '--store: sqlite or mongo.')
  const check = createOptionCheck()
  const bounds = { min: 1, max: 2 ** 31 }
  const shops = check.whole('--shops', values.shops, { ...bounds, otherwise: 20 })
  const seed = check.whole('--seed', values.seed, { ...bounds, otherwise: 1 + Math.floor(Math.random() * 2 ** 31) })
  check.assertRight()
  if (values.store === 'mongo' && ownMongo.missing !== null) throw new AppError('unavailable', ownMongo.missing)
  console.log(`Seed ${seed}, ${shops} shops, store ${values.store}, Node ${process.version}`)
  const mongo = values.store === 'mongo' ? await startMongoProcess({}) : null
  let compared = 0
  let different = 0
  try {
    for (let own = seed; own < seed + shops; own++) {
      const report = await oneShop(own, mongo === null ? {} : { STORE_URL: `${mongo.url}/shop_${own}` })
      compared += report.compared
      different += report.differences.length
      console.log(
        `Shop ${own}: ${report.events} events, ${report.compared} figures, ${report.differences.length} differ`,
      )
      for (const difference of report.differences.slice(0, DIFFERENCES_SHOWN)) console.log(`    ${difference}`)
    }
  } finally {
    await mongo?.close({ keepData: false })
  }
  console.log(`${compared.toLocaleString('en')} figures compared, ${different} differ`)
  if (different > 0) process.exitCode = 1
})

async function oneShop(seed: number, store: Record<string, string>) {
  const dataDir = mkdtempSync(join(tmpdir(), 'veritas-oracle-'))
  let child: ReturnType<typeof spawnServer> | undefined
  try {
    return await runOracle(seed, async (settings) => {
      child = spawnServer({ dataDir, args: ['--no-demo'], env: { ...store, ...settings } })
      return { url: await listening(child), dataDir, env: store }
    })
  } finally {
    if (child) await end(child)
    rmSync(dataDir, { recursive: true, force: true })
  }
}
