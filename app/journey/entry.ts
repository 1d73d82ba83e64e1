import type { Session } from '../../trpc/schema/journey.ts'

/** One event as shown in the timeline. The event catalog stays on the server, so icon and label come with the event. */
export interface Entry {
  eventId: string
  sessionId: string
  type: string
  at: string
  icon: string
  label: string
  subject: string
  payload: Record<string, unknown>
  /** True if the event came with a browser key only; such keys are public. */
  isClaimed: boolean
  issues: { path: string; message: string }[]
  /** The purchase that its order is counted by, if that is another event; null otherwise. */
  repeats: { userId: string; isOwn: boolean; differs: boolean } | null
}

/** An item of the timeline, from top to bottom. */
export type TimelineItem =
  | { kind: 'day'; key: string; day: string; session: Session | null; sessionId: string }
  | { kind: 'gap'; key: string; gapMs: number; between: 'events' | 'sessions' }
  | { kind: 'event'; key: string; entry: Entry }

/** Pauses longer than this are shown. */
const GAP_MS = 5 * 60_000

/**
 * Groups events under a heading for each run of one session on one day, with the pauses between them. `whole` is false
 * if a filter leaves out events; the time between two events is then not a pause and not shown.
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
