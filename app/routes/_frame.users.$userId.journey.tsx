import type { LoaderFunctionArgs, MetaFunction } from '@remix-run/node'
import { isRouteErrorResponse, Link, useLoaderData, useLocation, useNavigation, useRevalidator } from '@remix-run/react'
import type { MouseEvent } from 'react'
import { useMemo } from 'react'
import type { Session } from '../../trpc/schema/journey.ts'
import { seen } from '../format/direction.ts'
import { formatCount, plural } from '../format/number.ts'
import { dayIn, formatRange } from '../format/time.ts'
import { FramedError } from '../frame/framed-error.tsx'
import { awayLines } from '../freshness/away.ts'
import { FreshnessLine, StaleBanner } from '../freshness/freshness.tsx'
import { keepsLast } from '../freshness/kept.ts'
import { useLive } from '../freshness/live.ts'
import { pulseOf } from '../freshness/pulse.server.ts'
import { timelineOf } from '../journey/entry.ts'
import { Chosen, chosenOf, Filters } from '../journey/filters.tsx'
import { loadJourney } from '../journey/load.server.ts'
import { useOlder } from '../journey/older.ts'
import { eventsPart, type OlderPart, olderAddress, sessionsPart } from '../journey/parts.ts'
import { Profile } from '../journey/profile.tsx'
import { Sessions } from '../journey/sessions.tsx'
import { Timeline } from '../journey/timeline.tsx'
import { Card, Empty } from '../parts/card.tsx'
import { Icon } from '../parts/icon.tsx'
import { withParams } from '../range/range.ts'

export const meta: MetaFunction<typeof loader> = ({ data, error }) => {
  const isUnknown = isRouteErrorResponse(error) && error.status === 404
  const name = data ? seen(data.user.userId) : isUnknown ? 'User not found' : 'Journey'
  return [{ title: `${name} · Veritas` }]
}

export async function loader(args: LoaderFunctionArgs) {
  const pulse = await pulseOf(args)
  return { ...(await loadJourney(args)), pulse }
}

const routeId = 'routes/_frame.users.$userId.journey'
export const clientLoader = keepsLast(routeId)

type Data = Awaited<ReturnType<typeof loader>>

export default function Journey() {
  const data = useLoaderData<typeof loader>() as Data
  const { user, filter, now } = data
  const { pathname, search } = useLocation()
  const zone = user.site.timeZone
  const live = useLive(routeId, data)
  const { revalidate } = useRevalidator()
  const events = useOlder({
    of: listName(pathname, search),
    first: useMemo(() => eventsPart(data), [data]),
    keyOf: ({ entry }) => entry.eventId,
    onRefused: revalidate,
  })
  const sessions = useOlder({
    of: pathname,
    first: useMemo(() => sessionsPart(data), [data]),
    keyOf: ({ sessionId }) => sessionId,
    onRefused: revalidate,
  })
  const busy = useNavigation().state === 'loading'
  const back = new URLSearchParams(new URLSearchParams(search).get('back') ?? '').toString()

  const hrefOf = (changes: Record<string, string | null>) =>
    pathname + withParams(search, { cursor: null, sessions: null, ...changes })
  const appending = (part: OlderPart, { load }: { load: (address: string) => void }, href: string) => {
    return (event: MouseEvent) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return
      event.preventDefault()
      load(olderAddress(part, href))
    }
  }

  const olderEvents = events.nextCursor && hrefOf({ cursor: events.nextCursor })
  const olderSessions = sessions.nextCursor && hrefOf({ sessions: sessions.nextCursor })
  const allSessions = [...sessions.items]
  const shown = events.items
  const items = useMemo(() => {
    const known = new Map<string, Session>()
    // Reversed, so that the state of a session from its newest event wins.
    for (const { session } of [...shown].reverse()) if (session) known.set(session.sessionId, session)
    return timelineOf(
      shown.map(({ entry }) => entry),
      known,
      (iso) => dayIn(iso, zone),
      filter.type === null,
    )
  }, [shown, zone, filter.type])
  const matching = countOf(data, allSessions)

  return (
    <main className="page" id="main" tabIndex={-1} aria-busy={busy}>
      <StaleBanner {...live} zone={zone} />
      <div className="flex flex-wrap items-center justify-between gap-2 text-[13px] text-text-2">
        <Link className="inline-flex min-h-6 items-center gap-1.5 font-medium" to={back ? `/users?${back}` : '/users'}>
          <Icon name="left" />
          Back to Users
        </Link>
        <FreshnessLine {...live} zone={zone} />
      </div>
      <Profile user={user} />
      <div className="grid grid-cols-12 items-start gap-(--gap)">
        <div className="col-span-12 contents lg:col-span-4 lg:block lg:h-full">
          <div className="col-span-12 lg:h-full">
            <Sessions
              sessions={allSessions}
              total={data.sessions.totalSessions}
              zone={zone}
              thisYear={now.slice(0, 4)}
              chosen={chosenOf(data, allSessions)}
              chosenId={filter.sessionId}
              hrefOf={(session) => hrefOf({ session, date: null })}
              older={
                olderSessions
                  ? {
                      href: olderSessions,
                      loading: sessions.loading,
                      away: sessions.away,
                      onClick: appending('sessions', sessions, olderSessions),
                    }
                  : null
              }
            />
          </div>
        </div>
        <Card
          title="Timeline"
          className="col-span-12 lg:col-span-8"
          aside={<Filters data={data} hrefOf={hrefOf} />}
          flush
          footer={
            <footer>
              {(filter.cursor || filter.day) && (
                <Link to={hrefOf({ date: null })}>{filter.order === 'desc' ? 'Newest events' : 'Oldest events'}</Link>
              )}
              {olderEvents && (
                <Link to={olderEvents} onClick={appending('events', events, olderEvents)}>
                  {events.away
                    ? awayLines[events.away]
                    : events.loading
                      ? 'Loading…'
                      : `Load ${filter.order === 'desc' ? 'older' : 'newer'} events`}
                </Link>
              )}
              {/* New events change the count by themselves; screen readers only announce what the reader loaded. */}
              <span className="sr-only" role="status">
                {events.loading
                  ? 'Loading'
                  : events.added !== null &&
                    `${plural(events.added, 'event')} added${events.nextCursor ? '' : ', no more'}`}
              </span>
              <span className="shown-count ml-auto text-text-3">
                {matching === null
                  ? plural(shown.length, 'event')
                  : `${formatCount(shown.length)} of ${plural(matching, 'event')}`}
              </span>
            </footer>
          }
        >
          <Chosen data={data} sessions={allSessions} hrefOf={hrefOf} />
          {shown.length === 0 ? (
            <Empty
              title="No events match"
              action={
                <Link className="btn small" to={hrefOf({ type: null, session: null, date: null })}>
                  Clear filters
                </Link>
              }
            >
              This user's events, of all sessions and types, are of{' '}
              {formatRange(dayIn(user.firstActive, zone), dayIn(user.lastActive, zone))}.
            </Empty>
          ) : (
            <Timeline items={items} zone={zone} />
          )}
        </Card>
      </div>
    </main>
  )
}

/** Identifies the event list of an address. Its start is part of it; the position in the list of sessions is not. */
function listName(pathname: string, search: string): string {
  const params = new URLSearchParams(search)
  params.delete('sessions')
  params.sort()
  return `${pathname}?${params}`
}

/** The number of events that match the filter; null if the totals do not tell. */
function countOf({ filter, user, entrySessions }: Data, sessions: Session[]): number | null {
  if (filter.type !== null || filter.day !== null) return null
  if (filter.sessionId === null) return user.totalEvents
  return [...entrySessions, ...sessions].find(({ sessionId }) => sessionId === filter.sessionId)?.events ?? null
}

export function ErrorBoundary() {
  return <FramedError />
}
