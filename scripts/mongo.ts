import { parseArgs } from 'node:util'
import { AppError } from '../server/errors.ts'
import { type Deployment, openDeployment } from '../server/store/mongo/cluster/deployment.ts'
import { command, settings } from './open.ts'
import { createOptionCheck } from './options.ts'
import { print, printLines } from './print.ts'

const help = {
  about: `npm run mongo -- init [--url URL]
npm run mongo -- status [--url URL]
npm run mongo -- finish [--url URL]
npm run mongo -- shard [--months N] [--run] [--url URL]

init makes the collections and indexes that are missing; a server does so by itself. status looks at the deployment:
version, kind, clock, indexes, how far the figures are behind, batches whose process is gone, sizes, and on a cluster
what is spread over its shards. finish brings batches to their end whose process has
not been heard of for a minute, a lost machine's say, as a running server does by itself. shard prints the commands that spread what grows over a cluster, for mongosh; --run
runs them. Months are collections, so run it again before the last month that it made begins (docs/mongodb.md).

Options
  --url URL        mongodb://… or mongodb+srv://…; STORE_URL unless given
  --months N       months to come that get a collection, 0 to 120 (13)
  --run            with shard: run the commands on this cluster
  --help           this text`,
  examples: ['npm run mongo -- status', 'npm run mongo -- shard --months 24 --url mongodb://127.0.0.1:27017/veritas'],
  exits: { 1: 'status found something bad, or it failed: a line says why' },
} as const

await command(help, run)

async function run(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      months: { type: 'string' },
      run: { type: 'boolean', default: false },
    },
  })
  const check = createOptionCheck()
  const months = check.whole('--months', values.months, { min: 0, max: 120, otherwise: 13 })
  const [verb, ...rest] = positionals
  const verbs = {
    init,
    status,
    finish,
    shard: (deployment: Deployment) => shard(deployment, months, values.run),
  }
  const work = verb === undefined || rest.length > 0 ? undefined : verbs[verb as keyof typeof verbs]
  if (!work) throw new AppError('invalid_input', 'Say what to do: npm run mongo -- init | status | finish | shard')
  check.assertRight()
  const url = values.url ?? settings().mongoUrl
  if (!url || !/^mongodb(\+srv)?:\/\/./.test(url))
    throw new AppError('invalid_input', '--url: mongodb://… or mongodb+srv://…, unless STORE_URL is one.')
  const deployment = await openDeployment(url)
  try {
    await work(deployment)
  } finally {
    await deployment.close()
  }
}

async function init(deployment: Deployment): Promise<void> {
  await deployment.init()
  print('Collections and indexes are there.')
}

async function finish(deployment: Deployment): Promise<void> {
  const ended = await deployment.finish()
  for (const id of ended) print(`${id} is at its end: what it had written counts`)
  if (ended.length === 0) print('No batch is left by a process that is gone.')
}

async function status(deployment: Deployment): Promise<void> {
  const checks = await deployment.check()
  for (const { name, state, text } of checks) print(`${state.padEnd(5)} ${name.padEnd(14)} ${text}`)
  const bad = checks.filter(({ state }) => state === 'bad')
  if (bad.length > 0) throw new AppError('conflict', `Not right: ${bad.map(({ name }) => name).join(', ')}.`)
}

async function shard(deployment: Deployment, monthsAhead: number, isRun: boolean): Promise<void> {
  if (!isRun) return printLines((await deployment.shardLines(monthsAhead)).join('\n'))
  for (const collection of await deployment.shard(monthsAhead)) print(`${collection} is spread`)
}
