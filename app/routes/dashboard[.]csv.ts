import type { LoaderFunctionArgs } from '@remix-run/node'
import { plainAmount } from '../../trpc/schema/minor-units.ts'
import { requireReader } from '../accounts/visitor.server.ts'
import { csvLine, csvResponse } from '../csv/csv.ts'
import { loadDashboard } from '../dashboard/load.server.ts'
import { grossOf, mainFirst } from '../format/money.ts'

/** The days of a dashboard address, one a line, revenue in a column for each currency. */
export async function loader(args: LoaderFunctionArgs) {
  await requireReader(args)
  const { overview } = await loadDashboard(args)
  const codes = mainFirst(overview.money, overview.site.currency).map((sum) => sum.currency)
  const head = ['date', 'users', 'events', 'sessions', 'ordering_sessions', 'orders']
  const lines = overview.days.map((day) =>
    csvLine([
      day.date,
      day.users,
      day.events,
      day.sessions,
      day.orderingSessions,
      day.orders,
      ...codes.map((code) => ({ digits: plainAmount(grossOf(day.money, code), code) })),
    ]),
  )
  const { from, to } = overview.range
  return csvResponse(
    csvLine([...head, ...codes.map((code) => `revenue_${code}`)]) + lines.join(''),
    `veritas-days-${from}-${to}.csv`,
  )
}
