import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { Link, useLoaderData, useLocation, useNavigation } from '@remix-run/react'
import { drawingOf } from '../dashboard/drawing.ts'
import { EmptyStore } from '../dashboard/empty-store.tsx'
import { EventsChart } from '../dashboard/events-chart.tsx'
import { Kpis } from '../dashboard/kpis.tsx'
import { loadDashboard } from '../dashboard/load.server.ts'
import { RevenueChart } from '../dashboard/revenue-chart.tsx'
import { DashboardSkeleton } from '../dashboard/skeleton.tsx'
import { TypeBars, TypeTable } from '../dashboard/types.tsx'
import { ViewBar } from '../dashboard/view-bar.tsx'
import { FramedError } from '../frame/framed-error.tsx'
import { FreshnessLine, StaleBanner } from '../freshness/freshness.tsx'
import { useLive } from '../freshness/live.ts'
import { Empty } from '../parts/card.tsx'
import { Icon } from '../parts/icon.tsx'
import { withParams } from '../range/range.ts'
import { useSlow } from '../slow.ts'

export const meta: MetaFunction = () => [{ title: 'Dashboard · Veritas' }]

export async function loader(args: LoaderFunctionArgs) {
  const { overview, ...data } = await loadDashboard(args)
  const { origin, searchParams } = new URL(args.request.url)
  return { ...data, overview: drawingOf(overview, searchParams.get('currency')), origin }
}

export default function Dashboard() {
  const { overview, now, origin } = useLoaderData<typeof loader>()
  const { site, allTime, freshness } = overview
  const pulse = { events: allTime.events, freshness }
  return allTime.events === 0 ? (
    <EmptyStore siteName={site.name} origin={origin} zone={site.timeZone} now={now} pulse={pulse} />
  ) : (
    <Figures />
  )
}

function Figures() {
  const { overview, view, today, now, icons } = useLoaderData<typeof loader>()
  const { site, allTime, freshness } = overview
  const { search } = useLocation()
  const { away } = useLive({ events: allTime.events, freshness })
  const waiting = useOtherDaysLoading()
  const loading = useSlow(waiting)
  return (
    <>
      <ViewBar view={view} overview={overview} today={today} />
      <main className="page" id="main" tabIndex={-1} aria-busy={waiting}>
        <StaleBanner freshness={freshness} now={now} zone={site.timeZone} />
        {view.notice && (
          <div className="banner" role="status">
            <Icon name="info" />
            <p>{view.notice}</p>
          </div>
        )}
        <div className="head">
          <div className="min-w-0 flex-1">
            <h1>Dashboard</h1>
            <p className="sub">
              <FreshnessLine
                freshness={freshness}
                now={now}
                zone={site.timeZone}
                lastEventAt={allTime.lastEventAt}
                away={away}
              />
              {overview.range.to >= today && <span> · includes today so far</span>}
            </p>
          </div>
          <a className="btn" href={`/dashboard.csv${search}`} download>
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
                <Link className="btn small" to={withParams(search, { range: 'all', from: null, to: null })}>
                  Show all time
                </Link>
              }
            >
              The shop has events on other days. Choose another period, or all of them.
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
            </div>
          </>
        )}
      </main>
    </>
  )
}

/** True while the page goes to other days; a refresh of the same days leaves the numbers where they are. */
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
