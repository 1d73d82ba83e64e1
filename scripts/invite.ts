import { parseArgs } from 'node:util'
import { createAccounts } from '../server/accounts/create.ts'
import { AppError } from '../server/errors.ts'
import { invitationInput } from '../trpc/schema/account.ts'
import { command, settings, withStore } from './open.ts'
import { complain, print } from './print.ts'

const help = {
  about: `npm run invite -- --email ADDRESS

Prints the link with which one person makes an account: for this email alone, valid for 7 days, good for once.

Options
  --email ADDRESS  of the person invited
  --data-dir PATH  DATA_DIR unless given
  --help           this text`,
  examples: ['npm run invite -- --email lena@example.com'],
} as const

await command(help, async () => {
  const { values } = parseArgs({ options: { email: { type: 'string' }, 'data-dir': { type: 'string' } } })
  const parsed = invitationInput.safeParse(values)
  if (!parsed.success) throw new AppError('invalid_input', `--email: ${parsed.error.issues[0]?.message}`)
  const config = settings(values['data-dir'])
  const invitation = await withStore(config, async (store) => {
    const accounts = createAccounts({
      store: store.accounts,
      sites: store,
      siteId: 'default',
      cookie: async () => '',
      now: Date.now,
      setupCode: null,
    })
    return accounts.invite(parsed.data.email)
  })
  // Without a configured public URL, the address that the server prints at startup.
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  const base = config.publicUrl ?? `http://${host}:${config.port}`
  print(`${base.replace(/\/$/, '')}/signup?invitation=${invitation}`)
  if (config.publicUrl === undefined)
    complain('Set PUBLIC_URL to the address under which others reach the server, or put it in the place of this one.')
})
