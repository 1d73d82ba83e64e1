import { parseArgs } from 'node:util'
import { apiTokenPrefix, createToken, hashToken } from '../server/accounts/tokens.ts'
import { AppError } from '../server/errors.ts'
import { command, settings, withStore } from './open.ts'

const help = `npm run tokens -- create --name NAME

Prints a new API token for an internal tool. It is shown this once: the store keeps only its digest. The tool sends it
as "Authorization: Bearer vt_…" and may read everything an analyst may.

Options
  --name NAME      which tool it is for, 1 to 100 characters
  --data-dir PATH  DATA_DIR unless given
  --help           this text`

await command(help, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { name: { type: 'string' }, 'data-dir': { type: 'string' } },
  })
  if (positionals.length !== 1 || positionals[0] !== 'create')
    throw new AppError('invalid_input', 'Say what to do: npm run tokens -- create --name NAME')
  const name = values.name?.trim() ?? ''
  if (name.length < 1 || name.length > 100)
    throw new AppError('invalid_input', '--name: give the tool a name of 1 to 100 characters.')
  const token = createToken(apiTokenPrefix)
  await withStore(settings(values['data-dir']), (store) =>
    store.accounts.createToken({ tokenHash: hashToken(token), name, accountId: null, createdAt: Date.now() }),
  )
  console.log(token)
})
