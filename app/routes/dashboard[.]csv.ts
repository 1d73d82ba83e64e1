import type { LoaderFunctionArgs } from '@remix-run/node'
import { requireReader } from '../accounts/visitor.server.ts'
import { csvLine, csvResponse, refusedFile } from '../csv/csv.ts'
import { loadDashboard } from '../dashboard/load.server.ts'
import { readTrust } from '../dashboard/trust.ts'
import { fileOf } from '../errors/answers.server.ts'
import { claimedIn, mainFirst, partCells, sumCell } from '../format/money.ts'
import { instead, readView } from '../range/range.ts'

/** A CSV with one line per day of the period and a revenue column per currency. */
export async function loader(args: LoaderFunctionArgs) {
  await requireReader(args)
  return fileOf(() => daysFile(args))
}

async function daysFile(args: LoaderFunctionArgs): Promise<Response> {
  const { overview, today } = await loadDashboard(args, { isCompared: false })
  // A page can explain that it shows other days than requested; a file cannot, so refuse.
  const { notice } = readView(new URL(args.request.url).searchParams, today)
  if (notice !== null) throw refusedFile(notice.replace(instead, '').trim())
  const { trust, isKnown } = readTrust(new URL(args.request.url).searchParams)
  if (!isKnown) throw refusedFile('The trust of orders is “all” or “verified”.')
  const codes = mainFirst(overview.money, overview.site.currency).map((sum) => sum.currency)
  const claimed = codes.filter((code) => claimedIn(overview.money).has(code))
  // Sessions do not record whether their orders are verified, so with ?trust=verified this column is left out.
  const head = ['date', 'users', 'events', 'sessions', ...(trust === 'all' ? ['ordering_sessions'] : []), 'orders']
  const lines = overview.days.map((day) =>
    csvLine([
      day.date,
      day.users,
      day.events,
      day.sessions,
      ...(trust === 'all' ? [day.orderingSessions] : []),
      day.orders,
      ...codes.map((code) => sumCell(day.money, code)),
      ...claimed.flatMap((code) => partCells(day.money, code)),
    ]),
  )
  const { from, to } = overview.range
  return csvResponse(
    csvLine([
      ...head,
      ...codes.map((code) => `revenue_${code}`),
      ...claimed.flatMap((code) => [`verified_${code}`, `claimed_${code}`]),
    ]) + lines.join(''),
    `veritas-days-${from}-${to}${trust === 'all' ? '' : `-${trust}`}.csv`,
  )
}
