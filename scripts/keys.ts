import { parseArgs } from 'node:util'
import { idOfHash } from '../server/accounts/tokens.ts'
import { createWriteKey } from '../server/accounts/write-keys.ts'
import { AppError } from '../server/errors.ts'
import { command, settings, withStore } from './open.ts'
import { createOptionCheck } from './options.ts'
import { print } from './print.ts'

const help = {
  about: `npm run keys -- create --site SITE --kind pk|sk [--name NAME] [--rate EVENTS]
                          [--origin ORIGIN …]
npm run keys -- list --site SITE
npm run keys -- revoke ID | --id=ID --site SITE

create prints a new write key and nothing else. It is shown this once: the store keeps only its digest. pk keys are for
browsers, sk keys for servers that keep them secret. A running server knows a new key at once. list begins each line
with the key's ID; a revoked key is refused within half a minute.

Options
  --site SITE      the site that its events belong to (default)
  --kind pk|sk     who will hold it
  --name NAME      what it is for, up to 100 characters
  --rate EVENTS    events a second it may send, up to 1,000,000; without it as many as the server takes
  --id=ID          the key to revoke, where its ID begins with a dash
  --origin ORIGIN  pages that may send with it, such as https://shop.example; may be given several times. Without it any
                   page may. Whoever sends from no page, such as a server, says no origin and is not held to it
  --data-dir PATH  DATA_DIR unless given
  --help           this text`,
  examples: ['npm run keys -- create --kind pk --name shop --origin https://shop.example', 'npm run keys -- list'],
} as const

/** A limit far above what a server can accept. */
const MAX_RATE = 1_000_000

await command(help, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      site: { type: 'string', default: 'default' },
      kind: { type: 'string' },
      name: { type: 'string', default: '' },
      rate: { type: 'string' },
      id: { type: 'string' },
      origin: { type: 'string', multiple: true },
      'data-dir': { type: 'string' },
    },
  })
  const [verb, ...named] = positionals
  const [id, ...rest] = values.id === undefined ? named : [values.id, ...named]
  const known = verb === 'create' || verb === 'list' || verb === 'revoke'
  if (!known || rest.length > 0 || (verb === 'revoke') !== (id !== undefined))
    throw new AppError(
      'invalid_input',
      'Say what to do: npm run keys -- create --site default --kind pk|sk, or list, or revoke ID (--id=ID)',
    )
  const { site, kind, rate } = values
  if (verb === 'list') {
    const keys = await withStore(settings(values['data-dir']), (store) => store.keys.list(site))
    for (const key of keys) {
      const limit = key.eventsPerSecond === null ? 'no limit' : `${key.eventsPerSecond} events/s`
      const origins = key.origins ?? 'any origin'
      print(idOfHash(key.keyHash), key.kind, limit, origins, new Date(key.createdAt).toISOString(), key.name)
    }
    return
  }
  if (verb === 'revoke') {
    await withStore(settings(values['data-dir']), async (store) => {
      const [key, ...others] = (await store.keys.list(site)).filter((each) => idOfHash(each.keyHash) === id)
      if (!key || others.length > 0 || !(await store.keys.revoke(key.keyHash)))
        throw new AppError(
          'not_found',
          `The site ${site} has no key ${id}. Its keys: npm run keys -- list --site ${site}`,
        )
    })
    print(`Revoked ${id}.`)
    return
  }
  const check = createOptionCheck()
  const isKind = kind === 'pk' || kind === 'sk'
  if (!isKind) check.refuse('--kind: pk for a browser, sk for a server that keeps it secret.')
  const eventsPerSecond = check.whole('--rate', rate, { min: 1, max: MAX_RATE, otherwise: null })
  if (values.name.length > 100) check.refuse('--name: up to 100 characters.')
  const given = values.origin?.map(originOf)
  if (given?.includes(null))
    check.refuse('--origin: scheme and host of a page, such as https://shop.example, and no path.')
  check.assertRight()
  if (!isKind) return
  const origins = given ? [...new Set(given)].join(' ') : null
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
  print(key)
})

/** The origin of a URL in the form that browsers send; null if the text is not an origin. */
function originOf(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null
  const isOrigin = url && /^https?:$/.test(url.protocol) && /^https?:\/\/[^/?#@]+\/?$/i.test(text)
  return isOrigin ? url.origin : null
}
