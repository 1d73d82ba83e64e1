import { parseArgs } from 'node:util'
import { createWriteKey } from '../server/accounts/write-keys.ts'
import { AppError } from '../server/errors.ts'
import { command, settings, withStore } from './open.ts'

const help = `npm run keys -- create --site SITE --kind pk|sk [--name NAME] [--rate EVENTS]
                          [--origin ORIGIN …]
npm run keys -- list --site SITE
npm run keys -- revoke ID --site SITE

create prints a new write key and nothing else. It is shown this once: the store keeps only its digest. pk keys are for
browsers, sk keys for servers that keep them secret. A running server knows a new key at once. list begins each line
with the key's ID; a revoked key is refused within half a minute.

Options
  --site SITE      the site that its events belong to (default)
  --kind pk|sk     who will hold it
  --name NAME      what it is for, up to 100 characters
  --rate EVENTS    events a second it may send; without it as many as the server takes
  --origin ORIGIN  pages that may send with it, such as https://shop.example; may be given several times. Without it any
                   page may. Whoever sends from no page, such as a server, says no origin and is not held to it
  --data-dir PATH  DATA_DIR unless given
  --help           this text`

await command(help, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      site: { type: 'string', default: 'default' },
      kind: { type: 'string' },
      name: { type: 'string', default: '' },
      rate: { type: 'string' },
      origin: { type: 'string', multiple: true },
      'data-dir': { type: 'string' },
    },
  })
  const [verb, id, ...rest] = positionals
  const known = verb === 'create' || verb === 'list' || verb === 'revoke'
  if (!known || rest.length > 0 || (verb === 'revoke') !== (id !== undefined))
    throw new AppError(
      'invalid_input',
      'Say what to do: npm run keys -- create --site default --kind pk|sk, or list, or revoke ID',
    )
  const { site, kind, rate } = values
  if (verb === 'list') {
    const keys = await withStore(settings(values['data-dir']), (store) => store.keys.list(site))
    for (const key of keys) {
      const limit = key.eventsPerSecond === null ? 'no limit' : `${key.eventsPerSecond} events/s`
      const origins = key.origins ?? 'any origin'
      console.log([idOf(key), key.kind, limit, origins, new Date(key.createdAt).toISOString(), key.name].join('\t'))
    }
    return
  }
  if (verb === 'revoke') {
    await withStore(settings(values['data-dir']), async (store) => {
      const [key, ...others] = (await store.keys.list(site)).filter((each) => idOf(each) === id)
      if (!key || others.length > 0 || !(await store.keys.revoke(key.keyHash)))
        throw new AppError(
          'not_found',
          `The site ${site} has no key ${id}. Its keys: npm run keys -- list --site ${site}`,
        )
    })
    console.log(`Revoked ${id}.`)
    return
  }
  if (kind !== 'pk' && kind !== 'sk')
    throw new AppError('invalid_input', '--kind: pk for a browser, sk for a server that keeps it secret.')
  const eventsPerSecond = rate === undefined ? null : Number(rate)
  if (eventsPerSecond !== null && !(Number.isInteger(eventsPerSecond) && eventsPerSecond > 0))
    throw new AppError('invalid_input', '--rate: a whole number of events a second, such as 500.')
  if (values.name.length > 100) throw new AppError('invalid_input', '--name: up to 100 characters.')
  const origins = values.origin ? [...new Set(values.origin.map(originOf))].join(' ') : null
  const key = await withStore(settings(values['data-dir']), (store) =>
    createWriteKey(store.keys, {
      siteId: site,
      kind,
      name: values.name,
      eventsPerSecond,
      origins,
      createdAt: Date.now(),
    }),
  )
  console.log(key)
})

/** Enough of the digest to tell a site's keys apart; nothing can be sent with it. */
function idOf({ keyHash }: { keyHash: string }): string {
  return keyHash.slice(0, 12)
}

/** As browsers write the origin of a page. */
function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const isOrigin = url && /^https?:$/.test(url.protocol) && /^https?:\/\/[^/?#@]+\/?$/i.test(text)
  if (!isOrigin)
    throw new AppError(
      'invalid_input',
      '--origin: scheme and host of a page, such as https://shop.example, and no path.',
    )
  return url.origin
}
