import type { EventFate, StoredEvent, Tally } from './store.ts'

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
