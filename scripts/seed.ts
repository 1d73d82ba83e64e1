import { mkdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { demoLogin } from '../server/accounts/demo.ts'
import { prepareDemo } from '../server/demo/prepare.ts'
import { demoDefaults } from '../server/demo/shop.ts'
import { AppError } from '../server/errors.ts'
import { openStore } from '../server/store/open.ts'
import { command, settings } from './open.ts'
import { createOptionCheck } from './options.ts'
import { print } from './print.ts'

const help = {
  about: `npm run seed -- [options]

Fills an empty store with the demo shop, or finishes what an interrupted run began. npm start does it by itself with
the defaults; this is for other sizes. The same options and the same moment always give the same events.

Options
  --events N       ${demoDefaults.events} unless given
  --users N        ${demoDefaults.users} unless given
  --days N         ${demoDefaults.days} unless given; the last one is today
  --seed N         another shop for each number
  --data-dir PATH  DATA_DIR unless given
  --help           this text`,
  examples: ['npm run seed -- --events 2000000 --users 80000 --data-dir /tmp/large-shop'],
  exits: { 0: 'the demo shop is there', 1: 'it is not: a line says why' },
} as const

await command(help, async () => {
  const { values } = parseArgs({
    options: {
      events: { type: 'string' },
      users: { type: 'string' },
      days: { type: 'string' },
      seed: { type: 'string' },
      'data-dir': { type: 'string' },
    },
  })
  const check = createOptionCheck()
  const whole = (name: 'events' | 'users' | 'days' | 'seed') =>
    check.whole(`--${name}`, values[name], { min: 1, max: 999_999_999, otherwise: demoDefaults[name] })
  const options = { events: whole('events'), users: whole('users'), days: whole('days'), seed: whole('seed') }
  check.assertRight()
  const config = settings(values['data-dir'])
  if (config.stage !== 'local')
    throw new AppError('invalid_input', `STAGE=${config.stage} takes no demo shop: its login is known to everybody.`)
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  const store = await openStore(config)
  try {
    const outcome = await prepareDemo(store, { now: Date.now(), dataDir: config.dataDir, options })
    if (outcome === 'taken' || outcome === 'other events')
      throw new AppError('conflict', `The store in ${config.dataDir} is a shop's own; nothing was changed.`)
    const state = outcome === 'seeded' ? 'is ready' : 'was complete already'
    print(`The demo shop in ${config.dataDir} ${state}: ${demoLogin.email} / ${demoLogin.password}`)
  } finally {
    await store.close()
  }
})
