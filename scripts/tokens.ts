import { parseArgs } from 'node:util'
import { apiTokenPrefix, createToken, hashToken } from '../server/accounts/tokens.ts'
import { AppError } from '../server/errors.ts'
import { command, settings, withStore } from './open.ts'

const help = `npm run tokens -- create --name NAME
npm run tokens -- list
npm run tokens -- revoke ID

create prints a new API token for an internal tool. It is shown this once: the store keeps only its digest. The tool sends
it as "Authorization: Bearer vt_…" and may read everything an analyst may. list begins each line with the token's ID; a
revoked token is refused at once.

Options
  --name NAME      which tool it is for, 1 to 100 characters
  --data-dir PATH  DATA_DIR unless given
  --help           this text`

await command(help, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { name: { type: 'string' }, 'data-dir': { type: 'string' } },
  })
  const [verb, id, ...rest] = positionals
  const known = verb === 'create' || verb === 'list' || verb === 'revoke'
  if (!known || rest.length > 0 || (verb === 'revoke') !== (id !== undefined))
    throw new AppError('invalid_input', 'Say what to do: npm run tokens -- create --name NAME, or list, or revoke ID')
  const config = () => settings(values['data-dir'])
  if (verb === 'list') {
    const tokens = await withStore(config(), (store) => store.accounts.listTokens())
    for (const token of tokens)
      console.log([idOf(token), new Date(token.createdAt).toISOString(), token.name].join('\t'))
    return
  }
  if (verb === 'revoke') {
    const name = await withStore(config(), async (store) => {
      const [token, ...others] = (await store.accounts.listTokens()).filter((each) => idOf(each) === id)
      if (!token || others.length > 0 || !(await store.accounts.revokeToken(token.tokenHash)))
        throw new AppError('not_found', `There is no token ${id}. Those there are: npm run tokens -- list`)
      return token.name
    })
    console.log(`Revoked ${id} (${name}).`)
    return
  }
  const name = values.name?.trim() ?? ''
  if (name.length < 1 || name.length > 100)
    throw new AppError('invalid_input', '--name: give the tool a name of 1 to 100 characters.')
  const token = createToken(apiTokenPrefix)
  await withStore(config(), (store) =>
    store.accounts.createToken({ tokenHash: hashToken(token), name, accountId: null, createdAt: Date.now() }),
  )
  console.log(token)
})

/** Enough of the digest to tell tokens apart; nothing can be asked with it. */
function idOf({ tokenHash }: { tokenHash: string }): string {
  return tokenHash.slice(0, 12)
}
