import type { Store, StoredEvent } from '../../server/store/store.ts'

/** All events of a site, sorted by id. */
export async function scanned(store: Store, siteId: string): Promise<StoredEvent[]> {
  const stored: StoredEvent[] = []
  for await (const events of store.scanEvents(siteId)) stored.push(...events)
  return sortById(stored)
}

export function sortById(events: StoredEvent[]): StoredEvent[] {
  return [...events].sort((a, b) => (a.eventId < b.eventId ? -1 : 1))
}
