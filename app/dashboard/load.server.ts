import type { AppLoadContext } from '@remix-run/node'
import { eventTypeSpec } from '../../trpc/schema/event-types.ts'
import type { Overview } from '../../trpc/schema/stats.ts'
import { requireAccount } from '../accounts/visitor.server.ts'
import { ask } from '../errors/answers.server.ts'
import { countDays } from '../range/days.ts'
import type { View } from '../range/range.ts'
import { historyDays, maxDays, readInterval, readView } from '../range/range.ts'
import { onlyVerified, readTrust, type Trust } from './trust.ts'

/** The overview for a dashboard address, and how the address was interpreted. */
export interface DashboardData {
  overview: Overview
  view: View
  trust: Trust
  today: string
  now: string
  /** Icons of the event types in the overview. */
  icons: Record<string, string>
}

/** With `isCompared: false` nothing is compared, whatever the address says. */
export async function loadDashboard(
  args: { request: Request; context: AppLoadContext },
  { isCompared = true } = {},
): Promise<DashboardData> {
  await requireAccount(args)
  const { trpc } = args.context
  const { today } = await ask(args, () => trpc.stats.site())
  const { trust } = readTrust(new URL(args.request.url).searchParams)
  let view = readView(new URL(args.request.url).searchParams, today)
  if (!view.from || !view.to) view = await wholeHistory(args, view, today)
  const { from, to, interval, by } = view
  const compare = isCompared ? view.compare : 'none'
  const all = await ask(args, () =>
    trpc.stats.overview({ from: from ?? today, to: to ?? today, compare, interval, ...(by && { by }) }),
  )
  const overview = trust === 'verified' ? onlyVerified(all) : all
  const icons = Object.fromEntries(overview.eventsByType.map(({ type }) => [type, eventTypeSpec(type)?.icon ?? '•']))
  return { overview, view, trust, today, now: new Date().toISOString(), icons }
}

/** All days with events, up to the server's maximum period. Not compared: nothing came before. */
async function wholeHistory(
  args: { request: Request; context: AppLoadContext },
  view: View,
  today: string,
): Promise<View> {
  const { allTime } = await ask(args, () => args.context.trpc.stats.overview({ from: today, to: today }))
  const { from, to, tooLong } = historyDays(allTime, today)
  const asked = new URL(args.request.url).searchParams.get('interval')
  return {
    ...view,
    from,
    to,
    compare: 'none',
    interval: readInterval(asked, countDays(from, to)),
    notice: tooLong ? `The history begins earlier; these are its last ${maxDays} days.` : view.notice,
  }
}
