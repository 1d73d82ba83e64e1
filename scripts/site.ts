import { parseArgs } from 'node:util'
import { isZone } from '../server/analysis/zones.ts'
import { AppError } from '../server/errors.ts'
import { defaultSiteId } from '../server/start/site.ts'
import { siteSetupInput } from '../trpc/schema/account.ts'
import { expectation } from '../trpc/schema/issues.ts'
import { command, settings, withStore } from './open.ts'
import { createOptionCheck } from './options.ts'
import { print } from './print.ts'

const help = {
  about: `npm run site -- [--site SITE] [--name NAME] [--currency CODE] [--time-zone ZONE]

Prints the shop's name, main currency and time zone, after changing those that are given. Pages of a running server have
them at their next load. The time zone can be changed while there are no events, or, with SQLite, at most ${2000}, which
are counted again by the days of the new one. SITE_NAME, SITE_CURRENCY and SITE_TIME_ZONE, where set, win at every start
over what the first shop (default) has here.

Options
  --site SITE       which shop (default)
  --name NAME       up to 100 characters
  --currency CODE   of ISO 4217, such as EUR: the one that is shown first
  --time-zone ZONE  such as Europe/Berlin: where days begin
  --data-dir PATH   DATA_DIR unless given
  --help            this text`,
  examples: ['npm run site', 'npm run site -- --name "Nordlicht Outdoor" --currency EUR --time-zone Europe/Berlin'],
} as const

const optionOf: Record<string, string> = { siteName: '--name', currency: '--currency', timeZone: '--time-zone' }
/** The same limit as during the setup of a shop. */
const RECOUNTED_EVENTS = 2000

await command(help, async () => {
  const { values } = parseArgs({
    options: {
      site: { type: 'string', default: defaultSiteId },
      name: { type: 'string' },
      currency: { type: 'string' },
      'time-zone': { type: 'string' },
      'data-dir': { type: 'string' },
    },
  })
  await withStore(settings(values['data-dir']), async (store) => {
    const site = await store.site(values.site)
    if (!site)
      throw new AppError(
        'not_found',
        values.site === defaultSiteId
          ? 'The store has no shop yet. Start the server once.'
          : `--site ${values.site}: there is no such site. Those there are: npm run sites -- list`,
      )
    const wished = {
      siteName: values.name ?? site.name,
      currency: values.currency ?? site.currency,
      timeZone: values['time-zone'] ?? site.timeZone,
    }
    const parsed = siteSetupInput.safeParse(wished)
    const check = createOptionCheck()
    for (const issue of parsed.error?.issues ?? [])
      check.refuse(`${optionOf[String(issue.path[0])]}: ${expectation(issue)}`)
    if (!isZone(wished.timeZone)) check.refuse('--time-zone: an IANA time zone such as Europe/Berlin')
    check.assertRight()
    const { siteName: name, currency, timeZone } = siteSetupInput.parse(wished)
    const saved = await store.saveSite({ id: site.id, name, currency, timeZone }, { recountUpTo: RECOUNTED_EVENTS })
    print(`name       ${saved.name}`)
    print(`currency   ${saved.currency}`)
    print(`time zone  ${saved.timeZone}`)
  })
})
