import { parseArgs } from 'node:util'
import { isZone } from '../server/analysis/zones.ts'
import { AppError } from '../server/errors.ts'
import type { Store } from '../server/store/store.ts'
import { siteIdInput, siteSetupInput } from '../trpc/schema/account.ts'
import type { Site } from '../trpc/schema/common.ts'
import { expectation } from '../trpc/schema/issues.ts'
import { command, settings, withStore } from './open.ts'
import { createOptionCheck } from './options.ts'
import { print } from './print.ts'

const help = {
  about: `npm run sites -- list
npm run sites -- create --id ID --name NAME [--zone ZONE] [--currency CODE]
npm run sites -- rename --id ID --name NAME

Sites are shops whose events and figures are kept apart: each has write keys of its own (npm run keys -- create --site ID),
days of its own time zone and a currency that is shown first. Events and users with the same ids are others in each. A
running server knows a new site at once. list begins each line with the site's ID. What else can be changed of a site is
changed by npm run site.

Options
  --id ID           lower-case letters, digits and dashes, up to 64; it stays
  --name NAME       up to 100 characters
  --zone ZONE       such as Europe/Berlin (UTC): where days begin
  --currency CODE   of ISO 4217 (EUR): the one that is shown first
  --data-dir PATH   DATA_DIR unless given
  --help            this text`,
  examples: [
    'npm run sites -- list',
    "npm run sites -- create --id second --name 'Second' --zone Asia/Kolkata --currency INR",
    "npm run sites -- rename --id second --name 'Second shop'",
  ],
} as const

const optionOf: Record<string, string> = { siteName: '--name', currency: '--currency', timeZone: '--zone' }

await command(help, async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      id: { type: 'string' },
      name: { type: 'string' },
      zone: { type: 'string' },
      currency: { type: 'string' },
      'data-dir': { type: 'string' },
    },
  })
  const [verb, ...rest] = positionals
  if ((verb !== 'list' && verb !== 'create' && verb !== 'rename') || rest.length > 0)
    throw new AppError(
      'invalid_input',
      'Say what to do: npm run sites -- list, or create --id ID --name NAME, or rename --id ID --name NAME',
    )
  const { zone, currency } = values
  const check = createOptionCheck()
  if (verb === 'list' && (values.id ?? values.name) !== undefined) check.refuse('list: takes no --id and no --name.')
  if (verb !== 'create' && (zone ?? currency) !== undefined)
    check.refuse('--zone, --currency: of a site that is there they are changed by npm run site -- --site ID.')
  check.assertRight()
  const config = settings(values['data-dir'])
  if (verb === 'list') {
    for (const site of await withStore(config, (store) => store.sites()))
      print(site.id, site.timeZone, site.currency, site.name)
    return
  }
  const id = siteIdInput.safeParse(values.id)
  if (!id.success) check.refuse('--id: 1 to 64 lower-case letters, digits and dashes, the first no dash.')
  const wished = { siteName: values.name, timeZone: zone ?? 'UTC', currency: currency ?? 'EUR' }
  const parsed = siteSetupInput.safeParse(wished)
  for (const issue of parsed.error?.issues ?? [])
    check.refuse(`${optionOf[String(issue.path[0])]}: ${expectation(issue)}`)
  if (!isZone(wished.timeZone)) check.refuse('--zone: an IANA time zone such as Europe/Berlin.')
  check.assertRight()
  const { siteName: name, ...shop } = siteSetupInput.parse(wished)
  const site = { id: siteIdInput.parse(values.id), name, ...shop }
  const saved = await withStore(config, (store) => (verb === 'create' ? create(store, site) : rename(store, site)))
  print(saved.id, saved.timeZone, saved.currency, saved.name)
})

async function create(store: Store, site: Site): Promise<Site> {
  if (await store.site(site.id)) throw new AppError('conflict', `--id ${site.id}: there is such a site already.`)
  return store.saveSite(site)
}

async function rename(store: Store, { id, name }: Pick<Site, 'id' | 'name'>): Promise<Site> {
  const site = await store.site(id)
  if (!site)
    throw new AppError('not_found', `--id ${id}: there is no such site. Those there are: npm run sites -- list`)
  return store.saveSite({ ...site, name })
}
