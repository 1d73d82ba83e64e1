import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { hashPassword } from '../server/accounts/passwords.ts'
import { AppError } from '../server/errors.ts'
import { command, settings, withStore } from './open.ts'
import { print } from './print.ts'

const help = {
  about: `npm run accounts -- list
npm run accounts -- reset EMAIL
npm run accounts -- remove EMAIL [--even-last-owner]
npm run accounts -- make-owner EMAIL

list tells who may log in. reset prints a new password for one of them, this once; remove forgets the account and what
invites its email. Both end its logins at once. make-owner makes one of them an owner beside those there are: there is
always one, unless nobody is left. New accounts: npm run invite -- --email EMAIL

Options
  --even-last-owner  removes the last account too: with nobody left, the next sign-up owns the server
  --data-dir PATH    DATA_DIR unless given
  --help             this text`,
  examples: ['npm run accounts -- list', 'npm run accounts -- reset lena@example.com'],
} as const

await command(help, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'even-last-owner': { type: 'boolean', default: false }, 'data-dir': { type: 'string' } },
  })
  const [verb, email, ...rest] = positionals
  const known = verb === 'list' || verb === 'reset' || verb === 'remove' || verb === 'make-owner'
  if (!known || rest.length > 0 || (verb === 'list') !== (email === undefined))
    throw new AppError(
      'invalid_input',
      'Say what to do: npm run accounts -- list, or reset EMAIL, or remove EMAIL, or make-owner EMAIL',
    )
  await withStore(settings(values['data-dir']), async ({ accounts }) => {
    if (email === undefined) {
      for (const { email, role, createdAt, name } of await accounts.list())
        print(email, role, new Date(createdAt).toISOString(), name)
      return
    }
    const account = await accounts.byEmail(email)
    if (!account) throw new AppError('not_found', `Nobody logs in as ${email}. Those who do: npm run accounts -- list`)
    if (verb === 'reset') {
      const password = randomBytes(15).toString('base64url')
      await accounts.setPassword(account.id, await hashPassword(password))
      print(password)
      return
    }
    if (verb === 'make-owner') {
      await accounts.makeOwner(account.id)
      print(`${account.email} is an owner.`)
      return
    }
    await accounts.remove(account.id, { evenLastOwner: values['even-last-owner'] })
    print(`Removed ${account.email}.`)
  })
})
