import { parseArgs } from 'node:util'
import { createSetupCode, signUpAddress } from '../server/accounts/setup-code.ts'
import { AppError } from '../server/errors.ts'
import { command, settings, withStore } from './open.ts'
import { print } from './print.ts'

const help = {
  about: `npm run setup-code

Prints again what a server without an owner printed when it started: the set-up code that its first account needs, and
the address where that account is made. Only servers that others can reach have one (STAGE is not local, or HOST is not
this machine alone); it is of no more use once there is an owner.

Options
  --data-dir PATH  DATA_DIR unless given
  --help           this text`,
  examples: ['npm run setup-code'],
  exits: { 1: 'there is an owner already, or it failed: a line says why' },
} as const

await command(help, async () => {
  const { values } = parseArgs({ options: { 'data-dir': { type: 'string' } } })
  const config = settings(values['data-dir'])
  if ((await withStore(config, (store) => store.accounts.count())) > 0)
    throw new AppError('conflict', 'This server has an owner, who invites others: npm run invite -- --email ADDRESS')
  const setupCode = createSetupCode(config.dataDir)
  // If these settings need no code, an existing one comes from a server with other settings: print it all the same.
  const code = config.needsSetupCode ? await setupCode.read() : await setupCode.known()
  print(
    code ??
      `With STAGE=${config.stage} and HOST=${config.host} no code is needed, since only this machine reaches the server. If yours runs with other settings, give them to this command too.`,
  )
  print(signUpAddress(config.publicUrl ?? `http://${config.host}:${config.port}`, code))
})
