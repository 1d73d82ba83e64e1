import { z } from 'zod'
import { countWithin } from '../server/analysis/event-bytes.ts'
import { addDays, dayStart } from '../server/analysis/zones.ts'
import type { SessionRow, StoredEvent } from '../server/store/store.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { type Context, router, siteProcedure } from './init.ts'
import type { Event } from './schema/event.ts'
import type { Session } from './schema/journey.ts'
import { journey, journeyInput, sessionsInput, sessionsList } from './schema/journey.ts'
import { type Purchase, readPurchase } from './schema/purchase.ts'

const eventPlace = z.object({ occurredAt: z.number(), seq: z.number(), eventId: z.string() })
const sessionPlace = z.object({ start: z.number(), sessionId: z.string() })

export const journeyRouter = router({
  byUser: siteProcedure
    .meta({
      openapi: {
        method: 'GET',
        path: '/users/{userId}/journey',
        tags: ['Users'],
        summary: "A user's events, newest first",
      },
    })
    .input(journeyInput)
    .output(journey)
    .query(async ({ ctx, input }) => {
      const { userId } = input
      const { id: siteId, timeZone } = ctx.site
      const freshness = ctx.freshness()
      const rows = await ctx.store.journey({
        siteId,
        userId,
        from: input.from === undefined ? undefined : firstInstant(timeZone, input.from),
        to: input.to === undefined ? undefined : endInstant(timeZone, input.to),
        type: input.type,
        sessionId: input.sessionId,
        order: input.order,
        // One more tells whether there is a next page.
        limit: input.limit + 1,
        maxBytes: ctx.answerBytes,
        after: input.cursor ? decodeCursor(eventPlace, input.cursor) : undefined,
      })
      const page = rows.slice(0, Math.min(input.limit, countWithin(rows, ctx.answerBytes)))
      const last = page.at(-1)
      const ids = [...new Set(page.map((row) => row.sessionId))]
      const sessions = ids.length ? await ctx.store.sessions({ siteId, userId, limit: ids.length, ids }) : []
      return {
        userId,
        count: page.length,
        events: await toEvents(ctx, page),
        nextCursor:
          last && rows.length > page.length
            ? encodeCursor({ occurredAt: last.occurredAt, seq: last.seq, eventId: last.eventId })
            : null,
        sessions: sessions.map(toSession),
        site: ctx.site,
        freshness,
      }
    }),

  sessions: siteProcedure
    .meta({
      openapi: {
        method: 'GET',
        path: '/users/{userId}/sessions',
        tags: ['Users'],
        summary: "A user's sessions, newest first",
      },
    })
    .input(sessionsInput)
    .output(sessionsList)
    .query(async ({ ctx, input }) => {
      const { userId, limit } = input
      const siteId = ctx.site.id
      const freshness = ctx.freshness()
      const after = input.cursor ? decodeCursor(sessionPlace, input.cursor) : undefined
      const rows = await ctx.store.sessions({ siteId, userId, limit: limit + 1, after })
      const page = rows.slice(0, limit)
      const last = page.at(-1)
      const user = await ctx.store.user({ siteId, userId })
      return {
        userId,
        totalSessions: user?.sessions ?? 0,
        sessions: page.map(toSession),
        nextCursor:
          last && rows.length > page.length ? encodeCursor({ start: last.start, sessionId: last.sessionId }) : null,
        freshness,
      }
    }),
})

function isDay(bound: string): boolean {
  return bound.length === 10
}

function firstInstant(zone: string, bound: string): number {
  return isDay(bound) ? dayStart(zone, bound) : Date.parse(bound)
}

/** Exclusive end: a day ends where the next begins, an instant includes its own millisecond. */
function endInstant(zone: string, bound: string): number {
  return isDay(bound) ? dayStart(zone, addDays(bound, 1)) : Date.parse(bound) + 1
}

/** Purchases that repeat an order are told from the one that it counts by. */
async function toEvents({ store, site }: Context, rows: StoredEvent[]): Promise<Event[]> {
  const purchases = new Map<string, Purchase>()
  for (const { eventId, type, payload } of rows) {
    const reading = type === 'purchase' ? readPurchase(payload) : null
    if (reading && 'purchase' in reading) purchases.set(eventId, reading.purchase)
  }
  const orderIds = [...purchases.values()].map(({ orderId }) => orderId)
  const orders = orderIds.length === 0 ? [] : await store.orders({ siteId: site.id, orderIds })
  const counting = new Map(orders.map((order) => [order.orderId, order]))
  return rows.map((row) => {
    const purchase = purchases.get(row.eventId)
    const order = purchase && counting.get(purchase.orderId)
    if (!order || order.eventId === row.eventId) return toEvent(row)
    const differs = order.currency !== purchase.currency || order.gross !== purchase.gross
    return { ...toEvent(row), repeats: { userId: order.userId, eventId: order.eventId, trust: order.trust, differs } }
  })
}

function toEvent(row: StoredEvent): Event {
  return {
    eventId: row.eventId,
    userId: row.userId,
    sessionId: row.sessionId,
    type: row.type,
    payload: row.payload ?? {},
    occurredAt: new Date(row.occurredAt).toISOString(),
    receivedAt: new Date(row.receivedAt).toISOString(),
    trust: row.trust,
    ...(row.issues && { issues: row.issues }),
  }
}

function toSession(row: SessionRow): Session {
  return {
    sessionId: row.sessionId,
    number: row.number,
    start: new Date(row.start).toISOString(),
    end: new Date(row.end).toISOString(),
    events: row.events,
    orders: row.orders,
    money: row.money,
  }
}
