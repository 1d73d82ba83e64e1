import { parseArgs } from 'node:util'
import { apiTokenPrefix, createListedToken, hashToken, idOfHash } from '../server/accounts/tokens.ts'
import { AppError } from '../server/errors.ts'
import { command, settings, withStore } from './open.ts'
import { print } from './print.ts'

const help = {
  about: `npm run tokens -- create --name NAME
npm run tokens -- list
npm run tokens -- revoke ID | --id=ID

create prints a new API token for an internal tool. It is shown this once: the store keeps only its digest. The tool sends
it as "Authorization: Bearer vt_…" and may read everything an analyst may. list begins each line with the token's ID; a
revoked token is refused at once.

Options
  --name NAME      which tool it is for, 1 to 100 characters
  --id=ID          the token to revoke, where its ID begins with a dash
  --data-dir PATH  DATA_DIR unless given
  --help           this text`,
  examples: ['npm run tokens -- create --name reports', 'npm run tokens -- list'],
} as const

await command(help, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { name: { type: 'string' }, id: { type: 'string' }, 'data-dir': { type: 'string' } },
  })
  const [verb, ...named] = positionals
  const [id, ...rest] = values.id === undefined ? named : [values.id, ...named]
  const known = verb === 'create' || verb === 'list' || verb === 'revoke'
  if (!known || rest.length > 0 || (verb === 'revoke') !== (id !== undefined))
    throw new AppError(
      'invalid_input',
      'Say what to do: npm run tokens -- create --name NAME, or list, or revoke ID (--id=ID)',
    )
  const config = () => settings(values['data-dir'])
  if (verb === 'list') {
    const tokens = await withStore(config(), (store) => store.accounts.listTokens())
    for (const token of tokens) print(idOfHash(token.tokenHash), new Date(token.createdAt).toISOString(), token.name)
    return
  }
  if (verb === 'revoke') {
    const name = await withStore(config(), async (store) => {
      const [token, ...others] = (await store.accounts.listTokens()).filter((each) => idOfHash(each.tokenHash) === id)
      if (!token || others.length > 0 || !(await store.accounts.revokeToken(token.tokenHash)))
        throw new AppError('not_found', `There is no token ${id}. Those there are: npm run tokens -- list`)
      return token.name
    })
    print(`Revoked ${id} (${name}).`)
    return
  }
  const name = values.name?.trim() ?? ''
  if (name.length < 1 || name.length > 100)
    throw new AppError('invalid_input', '--name: give the tool a name of 1 to 100 characters.')
  const token = createListedToken(apiTokenPrefix)
  await withStore(config(), (store) =>
    store.accounts.createToken({ tokenHash: hashToken(token), name, accountId: null, createdAt: Date.now() }),
  )
  print(token)
})
