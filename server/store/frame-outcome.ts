import type { BatchOutcome, EventFate, FrameOutcome, StoredEvent, Tally } from './store.ts'

/** Counts fates by type; they are in the order of the events. */
export function tally(events: readonly StoredEvent[], fates: readonly EventFate[]): Tally {
  const counts: Tally = {}
  for (const [index, { type, issues }] of events.entries()) {
    const fate = fates[index]
    if (fate === undefined || fate === 'refused') continue
    counts[type] ??= { stored: 0, duplicate: 0, warned: 0 }
    counts[type][fate]++
    if (fate === 'stored' && issues !== null) counts[type].warned++
  }
  return counts
}

/** Requests as they were read, and what a store made of their events. */
export function frameOutcome(
  { events, unreadable }: { events: readonly StoredEvent[]; unreadable: readonly { event: unknown; reason: string }[] },
  { stored, duplicate, fates, reasons }: BatchOutcome,
): FrameOutcome {
  const letters: FrameOutcome['letters'] = unreadable.map(({ event, reason }) => ({ event: null, raw: event, reason }))
  const conflicts: StoredEvent[] = []
  for (const [index, reason] of Object.entries(reasons)) {
    const event = events[Number(index)] ?? null
    if (event && fates[Number(index)] === 'duplicate') conflicts.push(event)
    else letters.push({ event, reason })
  }
  return { stored, duplicate, types: tally(events, fates), letters, conflicts }
}
