import type { Session } from '../../trpc/schema/journey.ts'
import type { Entry } from './entry.ts'
import type { Part } from './list.ts'

export type OlderPart = 'events' | 'sessions'

/** An event, with its session as of when the event was loaded. */
export interface ShownEvent {
  entry: Entry
  session: Session | null
}

interface Loaded {
  entries: Entry[]
  entrySessions: Session[]
  nextCursor: string | null
  sessions: { sessions: Session[]; nextCursor: string | null }
}

export function eventsPart({ entries, entrySessions, nextCursor }: Loaded): Part<ShownEvent> {
  const sessions = new Map(entrySessions.map((session) => [session.sessionId, session]))
  return {
    items: entries.map((entry) => ({ entry, session: sessions.get(entry.sessionId) ?? null })),
    nextCursor,
  }
}

export function sessionsPart({ sessions }: Loaded): Part<Session> {
  return { items: sessions.sessions, nextCursor: sessions.nextCursor }
}

/** The JSON address of the part that the journey page at `href` would show. */
export function olderAddress(part: OlderPart, href: string): string {
  const [path = '', search = ''] = href.split('?', 2)
  return `${path.replace(/\/journey$/, '/older')}?part=${part}&${search}`
}
