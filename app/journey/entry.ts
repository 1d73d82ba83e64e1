import type { Session } from '../../trpc/schema/journey.ts'

/** One event as the timeline shows it. The catalogue stays on the server; its words come with the event. */
export interface Entry {
  eventId: string
  sessionId: string
  type: string
  at: string
  icon: string
  label: string
  subject: string
  payload: Record<string, unknown>
  /** Whether only a browser says it, whose key everybody can read. */
  isClaimed: boolean
  issues: { path: string; message: string }[]
  /** The purchase that this one's order counts by, where that is another. */
  repeats: { userId: string; isOwn: boolean; differs: boolean } | null
}

/** What stands in the timeline from top to bottom. */
export type TimelineItem =
  | { kind: 'day'; key: string; day: string; session: Session | null; sessionId: string }
  | { kind: 'gap'; key: string; gapMs: number; between: 'events' | 'sessions' }
  | { kind: 'event'; key: string; entry: Entry }

/** A pause inside a session is worth a line from here on. */
const GAP_MS = 5 * 60_000

/**
 * Events under a head for each run of one session on one day, with the pauses between them. `whole` says that no
 * event between two of the list is left out; where a filter leaves some out, a pause would be untrue.
 */
export function timelineOf(
  entries: readonly Entry[],
  sessions: ReadonlyMap<string, Session>,
  dayOf: (iso: string) => string,
  whole: boolean,
): TimelineItem[] {
  const items: TimelineItem[] = []
  let before: Entry | null = null
  for (const entry of entries) {
    const day = dayOf(entry.at)
    const sameSession = before?.sessionId === entry.sessionId
    if (before && whole) {
      const gapMs = Math.abs(Date.parse(entry.at) - Date.parse(before.at))
      if (gapMs > GAP_MS)
        items.push({
          kind: 'gap',
          key: `gap-${entry.eventId}`,
          gapMs,
          between: sameSession ? 'events' : 'sessions',
        })
    }
    if (!before || !sameSession || dayOf(before.at) !== day) {
      items.push({
        kind: 'day',
        key: `day-${entry.eventId}`,
        day,
        session: sessions.get(entry.sessionId) ?? null,
        sessionId: entry.sessionId,
      })
    }
    items.push({ kind: 'event', key: entry.eventId, entry })
    before = entry
  }
  return items
}
