import type { AppLoadContext } from '@remix-run/node'
import { data } from '@remix-run/node'
import type { Event } from '../../trpc/schema/event.ts'
import type { EventType } from '../../trpc/schema/event-types.ts'
import { eventTypeNames, eventTypeSpec } from '../../trpc/schema/event-types.ts'
import { requireAccount } from '../accounts/visitor.server.ts'
import { ask } from '../errors/answers.server.ts'
import { cut } from '../format/cut.ts'
import { isDay } from '../range/days.ts'
import type { Entry } from './entry.ts'

const EVENTS = 100
const SESSIONS = 20

export async function loadJourney(args: { request: Request; context: AppLoadContext }) {
  await requireAccount(args)
  const url = new URL(args.request.url)
  const userId = userIdOf(url)
  const filter = readFilter(url.searchParams)
  const { trpc } = args.context
  const [user, sessions, journey] = await ask(args, () =>
    Promise.all([
      trpc.users.get({ userId }),
      trpc.journey.sessions({ userId, limit: SESSIONS, cursor: filter.sessionsCursor ?? undefined }),
      trpc.journey.byUser({
        userId,
        limit: EVENTS,
        order: filter.order,
        type: filter.type ?? undefined,
        sessionId: filter.sessionId ?? undefined,
        cursor: filter.cursor ?? undefined,
        // Start at the chosen day: with its last event, or with its first one if the oldest come first.
        ...(filter.day !== null && (filter.order === 'desc' ? { to: filter.day } : { from: filter.day })),
      }),
    ]),
  )
  return {
    user,
    sessions,
    filter,
    types: eventTypeNames.map((name) => ({ name, icon: eventTypeSpec(name)?.icon ?? '' })),
    entries: journey.events.map(toEntry),
    entrySessions: journey.sessions,
    nextCursor: journey.nextCursor,
    now: new Date().toISOString(),
  }
}

/**
 * The user id in the path, decoded once. Not taken from the router's params: these turn an id that contains the three
 * characters "%2F" into one with a slash. Throws a 404 response if the id is not valid.
 */
function userIdOf(url: URL): string {
  try {
    const userId = decodeURIComponent(url.pathname.split('/')[2] ?? '')
    if (userId && cut(userId, 256) === userId) return userId
  } catch {
    // Invalid percent-encoding: no user has this id.
  }
  throw data({ message: 'There is no user with this ID', reference: null, at: null }, { status: 404 })
}

export interface JourneyFilter {
  type: EventType | null
  sessionId: string | null
  /** Day in the shop's zone at which the list starts; null for no day. */
  day: string | null
  /** The ?date of the address if it is not a valid day; null otherwise. */
  oddDay: string | null
  order: 'asc' | 'desc'
  cursor: string | null
  sessionsCursor: string | null
}

function readFilter(params: URLSearchParams): JourneyFilter {
  const type = params.get('type')
  const date = params.get('date') || null
  const isReal = date !== null && isDay(date)
  return {
    type: eventTypeNames.find((name) => name === type) ?? null,
    sessionId: cut(params.get('session') ?? '', 256) || null,
    day: isReal ? date : null,
    oddDay: date !== null && !isReal ? cut(date, 40) : null,
    order: params.get('order') === 'asc' ? 'asc' : 'desc',
    cursor: params.get('cursor') || null,
    sessionsCursor: params.get('sessions') || null,
  }
}

function toEntry(event: Event): Entry {
  const spec = eventTypeSpec(event.type)
  return {
    eventId: event.eventId,
    sessionId: event.sessionId,
    type: event.type,
    at: event.occurredAt,
    icon: spec?.icon ?? '•',
    label: spec?.label ?? event.type,
    subject: subjectOf(event),
    payload: event.payload,
    isClaimed: event.trust === 'claimed',
    issues: event.issues ?? [],
    repeats: event.repeats
      ? { userId: event.repeats.userId, isOwn: event.repeats.userId === event.userId, differs: event.repeats.differs }
      : null,
  }
}

/** The subject of an event, or '' if there is none: in a payload with issues, any property may have the wrong type. */
function subjectOf(event: Event): string {
  try {
    const subject: unknown = eventTypeSpec(event.type)?.subject(event.payload)
    return typeof subject === 'string' ? subject : ''
  } catch {
    return ''
  }
}
