import { parseArgs } from 'node:util'
import { addDays, dayOf, eachDay } from '../server/analysis/zones.ts'
import { AppError } from '../server/errors.ts'
import { allRows } from '../server/store/move/rows.ts'
import type { Store } from '../server/store/store.ts'
import { day as calendarDay, type Site } from '../trpc/schema/common.ts'
import { command, settings, withStore } from './open.ts'

const help = `npm run audit -- [--day YYYY-MM-DD | --all] [--site SITE] [--repair]

Counts closed days again from their events and compares every figure of the dashboard, as the server does every night
for the last days. Without --day or --all it is the last one. Exit code 1 when a day differs and was not put right. The
server may be running meanwhile.

Options
  --day DAY        one day, in the time zone of the site
  --all            every closed day whose events are kept
  --site SITE      one shop; every one unless given
  --repair         put figures that differ right
  --data-dir PATH  DATA_DIR unless given
  --help           this text`

await command(help, run, { badUsage: 2 })

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      day: { type: 'string' },
      all: { type: 'boolean', default: false },
      site: { type: 'string' },
      repair: { type: 'boolean', default: false },
      'data-dir': { type: 'string' },
    },
  })
  if (values.day !== undefined && (values.all || !calendarDay.safeParse(values.day).success))
    throw new AppError('invalid_input', '--day: a day such as 2026-11-22, without --all.')
  await withStore(settings(values['data-dir']), async (store) => {
    const sites = (await allRows(store, 'sites')).filter(({ id }) => values.site === undefined || id === values.site)
    if (sites.length === 0) throw new AppError('not_found', `--site: there is no site ${values.site ?? ''}.`)
    let [audited, wrong] = [0, 0]
    for (const site of sites)
      for (const day of await daysOf(store, site, values.all ? null : values.day)) {
        const { verdict, differences } = await store.auditDay({ siteId: site.id, day, mend: values.repair })
        audited += 1
        if (verdict === 'different' || verdict === 'busy') wrong += 1
        if (verdict !== 'equal') console.log(`${site.id}\t${day}\t${verdict}`)
        for (const { figure, stored, counted } of differences) console.log(`\t${figure}: ${stored}, counted ${counted}`)
      }
    console.log(`${audited} days counted again, ${wrong} of them not right.`)
    if (wrong > 0) throw new AppError('conflict', values.repair ? 'Run it again later.' : 'Run it with --repair.')
  })
}

/** The last closed day for undefined, every closed day for null. */
async function daysOf(store: Store, { id, timeZone }: Site, day: string | null | undefined): Promise<string[]> {
  const last = addDays(dayOf(timeZone, Date.now()), -1)
  if (day === undefined) return [last]
  if (day !== null) {
    if (day > last) throw new AppError('invalid_input', `--day: ${day} is not over in ${timeZone}.`)
    return [day]
  }
  const { firstDay } = await store.totals(id)
  return firstDay === null || firstDay > last ? [] : eachDay(firstDay, last)
}
