import { createHash } from 'node:crypto'
import { dayOf } from '../../analysis/zones.ts'
import { purchaseOf } from '../purchase.ts'
import type { Store, StoredEvent } from '../store.ts'

/** What the events and figures of one site come to: every number by its name, such as "events 2026-11-22 search". */
export type SiteCount = Map<string, number | string>

const ALWAYS = { from: '1900-01-01', to: '9998-12-31' }

/** Counts the events of a site one by one, and asks for its figures; two stores are alike when all numbers are. */
export async function countSite(
  store: Store,
  { id, timeZone }: { id: string; timeZone: string },
  tell: (events: number) => void,
  signal?: AbortSignal,
): Promise<SiteCount> {
  const count: SiteCount = new Map()
  // Exact, so that orders that no number holds together come to the same in any order.
  const revenue = new Map<string, bigint>()
  let content: [number, number] = [0, 0]
  let seen = 0
  for await (const events of store.scanEvents(id)) {
    signal?.throwIfAborted()
    for (const event of events) {
      countEvent(count, revenue, timeZone, event)
      content = added(content, event)
    }
    seen += events.length
    tell(seen)
  }
  for (const [name, sum] of revenue) count.set(name, Number.isSafeInteger(Number(sum)) ? Number(sum) : String(sum))
  count.set('events', seen)
  count.set('content', content.map((part) => part.toString(16).padStart(8, '0')).join(''))
  await countFigures(count, store, id)
  return count
}

function countEvent(count: SiteCount, revenue: Map<string, bigint>, zone: string, event: StoredEvent): void {
  const day = dayOf(zone, event.occurredAt)
  add(count, `events ${day} ${event.type}`, 1)
  const reading = purchaseOf(event)
  if (!reading || 'aside' in reading) return
  const { purchase } = reading
  add(count, `purchases ${day} ${purchase.currency}`, 1)
  const name = `revenue ${day} ${purchase.currency}`
  revenue.set(name, (revenue.get(name) ?? 0n) + BigInt(purchase.gross))
}

/** A sum of digests: the same for the same events in any order. */
function added([high, low]: [number, number], event: StoredEvent): [number, number] {
  const { eventId, userId, sessionId, type, occurredAt, receivedAt, seq, trust, payload, issues } = event
  const text = JSON.stringify([eventId, userId, sessionId, type, occurredAt, receivedAt, seq, trust, payload, issues])
  const digest = createHash('sha1').update(text).digest()
  return [(high + digest.readUInt32BE(0)) >>> 0, (low + digest.readUInt32BE(4)) >>> 0]
}

async function countFigures(count: SiteCount, store: Store, siteId: string): Promise<void> {
  for (const [name, value] of Object.entries(await store.totals(siteId))) count.set(`total ${name}`, String(value))
  const { days, types, money, aside, users, orderingSessions } = await store.overview({ siteId, ...ALWAYS })
  count.set('figure users', users)
  count.set('figure orderingSessions', orderingSessions)
  for (const { type, events } of types) count.set(`figure events ${type}`, events)
  const sums = [
    ...money.map((sum) => ({ ...sum, day: 'ever' })),
    ...days.flatMap((row) => row.money.map((sum) => ({ ...sum, day: row.day }))),
  ]
  for (const { day, currency, orders, gross, claimed } of sums) {
    count.set(`figure orders ${day} ${currency}`, orders)
    count.set(`figure gross ${day} ${currency}`, gross)
    count.set(`figure claimed orders ${day} ${currency}`, claimed.orders)
    count.set(`figure claimed gross ${day} ${currency}`, claimed.gross)
  }
  for (const { reason, currency, purchases, gross } of aside) {
    count.set(`figure set aside ${reason} ${currency}`, purchases)
    count.set(`figure gross set aside ${reason} ${currency}`, gross)
  }
  for (const { day, money: _, ...figures } of days)
    for (const [name, value] of Object.entries(figures)) count.set(`figure ${name} ${day}`, value)
}

function add(count: SiteCount, name: string, value: number): void {
  count.set(name, Number(count.get(name) ?? 0) + value)
}
