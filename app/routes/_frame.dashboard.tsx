import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { Link, useLoaderData, useLocation, useNavigation } from '@remix-run/react'
import { requireAccount } from '../accounts/visitor.server.ts'
import { ComparedLine, MissingComparison } from '../dashboard/compared.tsx'
import { drawingOf } from '../dashboard/drawing.ts'
import { EmptyStore } from '../dashboard/empty-store.tsx'
import { EventsChart } from '../dashboard/events-chart.tsx'
import { Kpis } from '../dashboard/kpis.tsx'
import { loadDashboard } from '../dashboard/load.server.ts'
import { RevenueChart } from '../dashboard/revenue-chart.tsx'
import { SetAside } from '../dashboard/set-aside.tsx'
import { DashboardSkeleton } from '../dashboard/skeleton.tsx'
import { TypeBars, TypeTable } from '../dashboard/types.tsx'
import { ViewBar } from '../dashboard/view-bar.tsx'
import { ask } from '../errors/answers.server.ts'
import { formatDay } from '../format/time.ts'
import { FramedError } from '../frame/framed-error.tsx'
import { FreshnessLine, StaleBanner } from '../freshness/freshness.tsx'
import { keepsLast } from '../freshness/kept.ts'
import { type Live, useLive } from '../freshness/live.ts'
import { pulseOf } from '../freshness/pulse.server.ts'
import { sends } from '../freshness/sending.ts'
import { Empty } from '../parts/card.tsx'
import { Icon } from '../parts/icon.tsx'
import { withParams } from '../range/range.ts'
import { useSlow } from '../slow.ts'

export const meta: MetaFunction = () => [{ title: 'Dashboard · Veritas' }]

export async function loader(args: LoaderFunctionArgs) {
  const pulse = await pulseOf(args)
  const { overview, ...data } = await loadDashboard(args)
  const { origin, searchParams } = new URL(args.request.url)
  const { required } = await ask(args, () => args.context.trpc.keys.state())
  const { today, trust } = data
  const drawing = drawingOf(overview, { asked: searchParams.get('currency'), today, trust })
  return { ...data, pulse, needsKey: required, overview: drawing, origin }
}

const routeId = 'routes/_frame.dashboard'
export const clientLoader = keepsLast(routeId)

/** Creates the write key for the example command that a new shop sees. */
export async function action(args: ActionFunctionArgs): Promise<{ key: string }> {
  await requireAccount(args)
  return ask(args, () => args.context.trpc.keys.create({ kind: 'sk', name: 'First event' }))
}
export const clientAction = sends

export default function Dashboard() {
  const data = useLoaderData<typeof loader>()
  const { site, allTime } = data.overview
  const live = useLive(routeId, data)
  return allTime.events === 0 ? (
    <EmptyStore
      siteName={site.name}
      origin={data.origin}
      zone={site.timeZone}
      now={data.now}
      needsKey={data.needsKey}
      away={live.away}
    />
  ) : (
    <Figures live={live} />
  )
}

function Figures({ live }: { live: Live }) {
  const { overview, view, today, now, icons } = useLoaderData<typeof loader>()
  const { site, allTime } = overview
  const { search } = useLocation()
  const waiting = useOtherDaysLoading()
  const loading = useSlow(waiting)
  return (
    <>
      <ViewBar view={view} overview={overview} today={today} />
      <main className="page" id="main" tabIndex={-1} aria-busy={waiting}>
        <StaleBanner {...live} zone={site.timeZone} />
        {view.notice && (
          <div className="banner" role="status">
            <Icon name="info" />
            <p>{view.notice}</p>
          </div>
        )}
        <MissingComparison overview={overview} today={today} />
        <div className="head">
          <div className="min-w-0 flex-1">
            <h1>Dashboard</h1>
            <p className="sub">
              <FreshnessLine {...live} zone={site.timeZone} lastEventAt={allTime.lastEventAt} />
              {overview.range.to >= today && <span> · includes today so far</span>}
              {overview.trust === 'verified' && <span> · verified orders only</span>}
              <ComparedLine overview={overview} today={today} />
            </p>
          </div>
          {/* If the page shows other days than the address asks for, the file has the days shown. */}
          <a
            className="btn"
            href={`/dashboard.csv${view.notice ? withParams(search, { range: null, ...overview.range }) : search}`}
          >
            <Icon name="export" />
            <span className="max-sm:sr-only">Export CSV</span>
          </a>
        </div>
        {loading ? (
          <DashboardSkeleton />
        ) : overview.totalEvents === 0 ? (
          <div className="card">
            <Empty
              title="No events in this period"
              action={
                view.preset === 'all' ? undefined : (
                  <Link className="btn small" to={withParams(search, { range: 'all', from: null, to: null })}>
                    Show all time
                  </Link>
                )
              }
            >
              {view.preset === 'all' && allTime.firstDay
                ? `The shop has events of long ago: the first are of ${formatDay(allTime.firstDay)}.`
                : 'The shop has events on other days. Choose another period, or all of them.'}
            </Empty>
          </div>
        ) : (
          <>
            <Kpis overview={overview} />
            <div className="grid grid-cols-12 gap-(--gap)">
              <EventsChart overview={overview} now={now} className="col-span-12 lg:col-span-8" />
              <TypeBars overview={overview} className="col-span-12 lg:col-span-4" />
              <RevenueChart overview={overview} className="col-span-12 lg:col-span-6" />
              <TypeTable overview={overview} icons={icons} className="col-span-12 lg:col-span-6" />
              <SetAside aside={overview.aside} className="col-span-12" />
            </div>
          </>
        )}
      </main>
    </>
  )
}

/** True while other days load. A reload of the same days returns false, so that the numbers stay visible. */
function useOtherDaysLoading(): boolean {
  const { state, location } = useNavigation()
  const { pathname, search } = useLocation()
  if (state !== 'loading' || location.pathname !== pathname) return false
  const now = new URLSearchParams(search)
  const next = new URLSearchParams(location.search)
  return ['range', 'from', 'to', 'compare'].some((name) => now.get(name) !== next.get(name))
}

export function ErrorBoundary() {
  return <FramedError />
}
