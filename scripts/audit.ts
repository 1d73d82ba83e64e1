import { parseArgs } from 'node:util'
import { addDays, dayOf, dayStart, eachDay } from '../server/analysis/zones.ts'
import { AppError } from '../server/errors.ts'
import { forgetPassedOver } from '../server/jobs/audit-progress.ts'
import { allRows } from '../server/store/move/rows.ts'
import type { Store, UsersAudit } from '../server/store/store.ts'
import { day as calendarDay, type Site } from '../trpc/schema/common.ts'
import { command, settings, withStore } from './open.ts'
import { counted, print } from './print.ts'

const help = {
  about: `npm run audit -- [--day YYYY-MM-DD | --all] [--site SITE] [--repair]

Counts again from the events and compares with every figure: the last closed day, the users who were active since it began
with all their sessions, and the totals, as the server does every night (there for the last AUDIT_DAYS days).
The server may be running meanwhile.

Options
  --day DAY        this day alone, in the time zone of the site
  --all            every closed day whose events are kept, and every user
  --site SITE      one shop; every one unless given
  --repair         put figures that differ right
  --data-dir PATH  DATA_DIR unless given
  --help           this text`,
  examples: ['npm run audit', 'npm run audit -- --day 2026-11-22 --repair'],
  exits: {
    0: 'every figure is right, or was put right',
    1: 'a figure differs and was not put right, or it failed: a line says why',
  },
} as const

await command(help, run)

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
    const count = { days: 0, users: 0, wrong: 0 }
    for (const site of sites) {
      const days = await daysOf(store, site, values.all ? null : values.day)
      // Users and sessions first: figures of days are computed from them.
      if (values.day === undefined) {
        const since = values.all ? 0 : dayStart(site.timeZone, days[0]!)
        await auditUsers(store, site.id, since, values.repair, count)
        const totals = await store.auditTotals({ siteId: site.id, mend: values.repair })
        tell(count, [site.id, 'totals'], totals)
        if (totals.lostUsers > 0) print('', lostUsersSay(totals.lostUsers))
      }
      for (const day of days) {
        tell(
          count,
          [site.id, day],
          await store.auditDay({ siteId: site.id, day, mend: values.repair, repetitions: values.all }),
        )
        await forgetPassedOver(store.moving, site.id, day)
        count.days += 1
      }
    }
    print(
      `${counted(count.days, 'day')} and ${counted(count.users, 'user')} counted again, ${count.wrong} of them not right.`,
    )
    if (count.wrong > 0) throw new AppError('conflict', values.repair ? 'Run it again later.' : 'Run it with --repair.')
  })
}

function lostUsersSay(count: number): string {
  return `${count} of the users who have sessions ${count === 1 ? 'has no row of its own' : 'have no row of their own'}: the totals are left as they are. On MongoDB --all --repair makes these rows again; on SQLite a backup has them.`
}

interface Count {
  days: number
  users: number
  wrong: number
}

interface Told {
  verdict: string
  differences: { figure: string; stored: number; counted: number }[]
}

function tell(count: Count, about: readonly string[], { verdict, differences }: Told): void {
  if (verdict === 'different' || verdict === 'busy') count.wrong += 1
  if (verdict !== 'equal') print(...about, verdict)
  for (const { figure, stored, counted } of differences) print('', `${figure}: ${stored}, counted ${counted}`)
}

async function auditUsers(store: Store, siteId: string, since: number, mend: boolean, count: Count): Promise<void> {
  for (let after: string | null = null, isMore = true; isMore; isMore = after !== null) {
    const step: UsersAudit = await store.auditUsers({ siteId, since, after, mend })
    const verdict = step.verdict === 'busy' ? 'different' : step.verdict
    for (const id of new Set(step.differences.map(({ userId }) => userId)))
      tell(count, [siteId, `user ${id}`], {
        verdict,
        differences: step.differences.filter(({ userId }) => userId === id),
      })
    if (step.verdict === 'busy') tell(count, [siteId, 'some users'], { verdict: 'busy', differences: [] })
    count.users += step.users
    after = step.next
  }
}

/** Days to audit: the given day, the last complete day for undefined, every complete day for null. */
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
