import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { type EventType, eventTypeNames, eventTypes } from '../../trpc/schema/event-types.ts'
import { dayOf, offsetAt } from '../analysis/zones.ts'
import type { StoredEvent } from '../store/store.ts'
import { type DemoOptions, demoBatches, demoDefaults } from './shop.ts'

const endsAt = Date.parse('2026-11-23T13:00:00Z')
const small: DemoOptions = { ...demoDefaults, days: 30, users: 300, events: 6000, endsAt }
const zone = demoDefaults.zone

function all(options: DemoOptions): StoredEvent[] {
  return [...demoBatches(options)].flatMap((batch) => batch.events)
}

function digest(events: StoredEvent[]): string {
  return createHash('sha256').update(JSON.stringify(events)).digest('hex')
}

function countBy(events: StoredEvent[], key: (event: StoredEvent) => string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const event of events) counts.set(key(event), (counts.get(key(event)) ?? 0) + 1)
  return counts
}

describe('the demo shop, small', () => {
  it('is the same on every machine', () => {
    expect(digest(all(small))).toBe('a6fddc65514a816cf95ebb7ff40bf97c003ab7303407c56ae1f2843ef41b3c6d')
  })

  it('is another shop for another seed or another end', () => {
    const same = digest(all(small))
    expect(digest(all({ ...small, seed: 1 }))).not.toBe(same)
    expect(digest(all({ ...small, endsAt: endsAt + 1 }))).not.toBe(same)
  })

  it('comes in numbered batches of at most 2,000', () => {
    const batches = [...demoBatches({ ...small, events: 4500 })]
    expect(batches.map(({ id, events }) => [id, events.length])).toEqual([
      ['demo-0', 2000],
      ['demo-1', 2000],
      ['demo-2', 500],
    ])
  })

  it('gives whatever number of events is asked for', () => {
    expect(all({ ...small, users: 60, events: 5000 })).toHaveLength(5000)
    expect(all({ ...small, users: 1000, events: 700 })).toHaveLength(700)
    expect(all({ ...small, days: 1, users: 50, events: 300 })).toHaveLength(300)
  })

  it('works one minute after midnight', () => {
    const midnight = Date.parse('2026-11-22T23:01:00Z')
    const events = all({ ...small, endsAt: midnight })
    expect(events).toHaveLength(6000)
    expect(events.at(-1)!.occurredAt).toBeLessThanOrEqual(midnight)
  })

  it('says so when so few users cannot make so many events', () => {
    expect(() => all({ ...small, days: 1, users: 1, events: 100_000 })).toThrow(/ask for more users/)
  })
})

describe('the demo shop as npm start makes it', () => {
  let events: StoredEvent[]
  let sessions: Map<string, StoredEvent[]>

  beforeAll(() => {
    events = all({ ...demoDefaults, endsAt })
    sessions = new Map()
    for (const event of events) {
      const key = `${event.userId} ${event.sessionId}`
      const session = sessions.get(key)
      if (session) session.push(event)
      else sessions.set(key, [event])
    }
  })

  it('has 200,000 events of 5,000 users over 90 days, in order of time', () => {
    expect(events).toHaveLength(200_000)
    expect(countBy(events, (event) => event.userId).size).toBe(5000)
    const days = countBy(events, (event) => dayOf(zone, event.occurredAt))
    expect([...days.keys()]).toHaveLength(90)
    expect([...days.keys()][0]).toBe('2026-08-26')
    expect([...days.keys()].at(-1)).toBe('2026-11-23')
    expect(events.every((event, i) => i === 0 || events[i - 1]!.occurredAt <= event.occurredAt)).toBe(true)
    expect(events.at(-1)!.occurredAt).toBeLessThanOrEqual(endsAt)
    expect(events.every((event) => event.receivedAt >= event.occurredAt && event.receivedAt <= endsAt)).toBe(true)
  })

  it('has unique ids of the shape of a UUID', () => {
    expect(new Set(events.map((event) => event.eventId)).size).toBe(events.length)
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
    expect(events.filter((event) => !uuid.test(event.eventId))).toEqual([])
  })

  it('has every type of the catalogue, each payload valid', () => {
    expect([...countBy(events, (event) => event.type).keys()].sort()).toEqual([...eventTypeNames].sort())
    for (const { type, payload } of events) {
      const parsed = eventTypes[type as EventType].payload.safeParse(payload)
      if (!parsed.success) throw new Error(`${type} ${JSON.stringify(payload)}: ${parsed.error.message}`)
    }
  })

  it('opens each session with a session_start, and none pauses for half an hour', () => {
    for (const session of sessions.values()) {
      expect(session[0]!.type).toBe('session_start')
      for (let i = 1; i < session.length; i++) {
        const gapMs = session[i]!.occurredAt - session[i - 1]!.occurredAt
        if (gapMs < 0 || gapMs >= 30 * 60_000) throw new Error(`gap of ${gapMs} ms`)
      }
    }
  })

  it('narrows from visit to order as a funnel does', () => {
    const having = (test: (event: StoredEvent) => boolean) => [...sessions.values()].filter((s) => s.some(test)).length
    const viewed = (path: string) => (event: StoredEvent) =>
      event.type === 'page_view' && String(event.payload?.url).includes(path)
    const steps = [
      sessions.size,
      having(viewed('/p/')),
      having((event) => event.type === 'add_to_cart'),
      having(viewed('/checkout')),
      having((event) => event.type === 'purchase'),
    ]
    for (let i = 1; i < steps.length; i++) expect(steps[i]).toBeLessThan(steps[i - 1]! * 0.9)
    const conversion = steps.at(-1)! / sessions.size
    expect(conversion).toBeGreaterThan(0.02)
    expect(conversion).toBeLessThan(0.06)
  })

  it('buys only what is in the cart, and the sum of an order is right to the cent', () => {
    let orders = 0
    for (const session of sessions.values()) {
      const cart = new Map<string, number>()
      for (const { type, payload } of session) {
        const { productId, quantity } = payload as { productId: string; quantity: number }
        if (type === 'add_to_cart') cart.set(productId, (cart.get(productId) ?? 0) + quantity)
        if (type === 'remove_from_cart') cart.set(productId, cart.get(productId)! - quantity)
        if (type !== 'purchase') continue
        orders += 1
        const order = eventTypes.purchase.payload.parse(payload)
        expect(new Map(order.items.map((item) => [item.productId, item.quantity]))).toEqual(
          new Map([...cart].filter(([, count]) => count > 0)),
        )
        const goods = order.items.reduce((sum, item) => sum + Math.round(item.price * 100) * item.quantity, 0)
        const cents = goods - Math.round((order.discount ?? 0) * 100) + Math.round((order.shipping ?? 0) * 100)
        expect(Math.round(order.revenue * 100)).toBe(cents)
      }
    }
    expect(orders).toBeGreaterThan(500)
  })

  it('sells in two currencies, an order id for one order alone, and sends a few orders twice', () => {
    const purchases = events.filter((event) => event.type === 'purchase')
    const currencies = countBy(purchases, (event) => String(event.payload?.currency))
    expect([...currencies.keys()].sort()).toEqual(['CHF', 'EUR'])
    expect(currencies.get('EUR')!).toBeGreaterThan(currencies.get('CHF')! * 4)
    const sent = countBy(purchases, (event) => String(event.payload?.orderId))
    const owners = countBy(purchases, (event) => `${event.payload?.orderId} ${event.sessionId}`)
    expect(owners.size).toBe(sent.size)
    const repeats = purchases.length - sent.size
    expect(repeats).toBeGreaterThan(3)
    expect(repeats).toBeLessThan(purchases.length / 20)
  })

  it('has days, weeks, a sale and growth', () => {
    const byHour = countBy(events, (event) => {
      const wall = event.occurredAt + offsetAt(zone, event.occurredAt)
      return String(new Date(wall).getUTCHours())
    })
    expect(byHour.get('20')!).toBeGreaterThan(byHour.get('4')! * 20)

    const days = [...countBy(events, (event) => dayOf(zone, event.occurredAt))]
    const mean = (from: number, to: number, weekdays: number[]) => {
      const chosen = days.slice(from, to).filter(([day]) => weekdays.includes(new Date(`${day}T00:00Z`).getUTCDay()))
      return chosen.reduce((sum, [, count]) => sum + count, 0) / chosen.length
    }
    expect(mean(0, 50, [0, 6])).toBeGreaterThan(mean(0, 50, [1, 2, 3, 4, 5]) * 1.15)
    const everyDay = [0, 1, 2, 3, 4, 5, 6]
    expect(mean(75, 89, everyDay)).toBeGreaterThan(mean(0, 14, everyDay) * 1.25)
    expect(mean(70, 73, everyDay)).toBeGreaterThan(mean(56, 70, everyDay) * 1.4)
    expect(days.at(-1)![1]).toBeLessThan(days.at(-2)![1] / 2)
  })

  it('has people who come once and people who come all the time', () => {
    const visits = new Map<string, number>()
    for (const session of sessions.values()) visits.set(session[0]!.userId, (visits.get(session[0]!.userId) ?? 0) + 1)
    const counts = [...visits.values()].sort((a, b) => a - b)
    expect(counts[Math.floor(counts.length * 0.3)]).toBe(1)
    expect(counts.at(-1)).toBeGreaterThan(40)
  })
})
