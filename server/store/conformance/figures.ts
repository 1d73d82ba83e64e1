import { describe, expect, it } from 'vitest'
import {
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  NOON,
  sampleBatch,
  sampleEvent,
  samplePurchase,
  sampleSite,
} from '../sample-events.ts'
import type { Store, StoredEvent } from '../store.ts'

export function describeFigures(store: () => Store): void {
  async function newSite(timeZone = 'Europe/Berlin'): Promise<string> {
    return (await store().saveSite(sampleSite({ timeZone }))).id
  }
  async function insert(...events: StoredEvent[]): Promise<void> {
    const outcome = await store().insertBatch(sampleBatch(...events))
    expect(outcome.stored).toBe(events.length)
  }
  const november = (siteId: string) => store().overview({ siteId, from: '2026-11-01', to: '2026-11-30' })

  describe('figures', () => {
    it('counts events by type, and leaves out what is outside the range', async () => {
      const siteId = await newSite()
      await insert(
        sampleEvent({ siteId }),
        sampleEvent({ siteId }),
        sampleEvent({ siteId, type: 'search' }),
        sampleEvent({ siteId, occurredAt: NOON - 60 * DAY_MS }),
      )
      const row = await november(siteId)
      expect(row.events).toBe(3)
      expect([...row.types].sort((a, b) => b.events - a.events)).toEqual([
        { type: 'page_view', events: 2 },
        { type: 'search', events: 1 },
      ])
      expect(row.days.map((day) => [day.day, day.events])).toEqual([['2026-11-22', 3]])
    })

    it("dates events by the site's own day", async () => {
      const beforeMidnight = Date.UTC(2026, 10, 21, 22, 59, 59, 999)
      const berlin = await newSite()
      const kathmandu = await newSite('Asia/Kathmandu')
      for (const siteId of [berlin, kathmandu])
        await insert(
          sampleEvent({ siteId, occurredAt: beforeMidnight }),
          sampleEvent({ siteId, occurredAt: beforeMidnight + 1 }),
        )
      expect((await november(berlin)).days.map((day) => day.day)).toEqual(['2026-11-21', '2026-11-22'])
      expect((await november(kathmandu)).days.map((day) => day.day)).toEqual(['2026-11-22'])
    })

    it('counts a user once in a range however many days it was active', async () => {
      const siteId = await newSite()
      const visits = [0, 1, 2, 5].map((day) => sampleEvent({ siteId, occurredAt: NOON - day * DAY_MS }))
      await insert(...visits, sampleEvent({ siteId, userId: 'noah', occurredAt: NOON - DAY_MS }))
      const users = async (from: string, to: string) => (await store().overview({ siteId, from, to })).users
      expect(await users('2026-11-17', '2026-11-22')).toBe(2)
      expect(await users('2026-11-18', '2026-11-19')).toBe(0)
      expect(await users('2026-11-22', '2026-11-22')).toBe(1)
      expect(await users('2026-11-21', '2026-11-21')).toBe(2)
      expect((await november(siteId)).days.map((day) => day.users)).toEqual([1, 1, 2, 1])
    })

    it('keeps distinct users right when a late day falls between two known ones', async () => {
      const siteId = await newSite()
      for (const day of [0, 10, 5, 7, 6, 12, 20, 19])
        await insert(sampleEvent({ siteId, occurredAt: NOON - day * DAY_MS }))
      const active = new Set([22, 12, 17, 15, 16, 10, 2, 3])
      for (let from = 1; from <= 22; from++)
        for (let to = from; to <= 22; to++) {
          const [a, b] = [from, to].map((day) => `2026-11-${String(day).padStart(2, '0')}`)
          const { users } = await store().overview({ siteId, from: a!, to: b! })
          const expected = [...active].some((day) => from <= day && day <= to) ? 1 : 0
          expect(users, `${a}..${b}`).toBe(expected)
        }
    })

    it('counts a session on the day of its start, and moves it when an earlier event comes late', async () => {
      const siteId = await newSite()
      await insert(samplePurchase({ siteId, occurredAt: NOON }))
      const sessions = async () =>
        (await november(siteId)).days.map((day) => [day.day, day.sessions, day.orderingSessions])
      expect(await sessions()).toEqual([['2026-11-22', 1, 1]])
      await insert(sampleEvent({ siteId, occurredAt: NOON - 2 * DAY_MS }))
      expect(await sessions()).toEqual([
        ['2026-11-20', 1, 1],
        ['2026-11-22', 0, 0],
      ])
      expect((await november(siteId)).sessions).toBe(1)
      expect((await store().totals(siteId)).sessions).toBe(1)
    })

    it('takes the same session id of two users for two sessions', async () => {
      const siteId = await newSite()
      await insert(sampleEvent({ siteId }), sampleEvent({ siteId, userId: 'noah' }))
      expect((await november(siteId)).sessions).toBe(2)
    })

    it('gives the hours that have events, of a zone with a quarter hour', async () => {
      const siteId = await newSite('Asia/Kathmandu')
      // 17:45 in Kathmandu is 12:00 UTC.
      const start = Date.UTC(2026, 10, 22, 11, 15)
      const at = [start - 1, start, start + 44 * MINUTE_MS, start + HOUR_MS]
      await insert(...at.map((occurredAt) => sampleEvent({ siteId, occurredAt })))
      expect(await store().hours({ siteId, from: '2026-11-22', to: '2026-11-22' })).toEqual([
        { start: start - HOUR_MS, events: 1 },
        { start, events: 2 },
        { start: start + HOUR_MS, events: 1 },
      ])
      expect(await store().hours({ siteId, from: '2026-11-23', to: '2026-11-24' })).toEqual([])
    })

    it('keeps the two hours apart that a clock change gives the same name', async () => {
      const siteId = await newSite()
      const summer = Date.UTC(2026, 9, 25, 0)
      await insert(sampleEvent({ siteId, occurredAt: summer }), sampleEvent({ siteId, occurredAt: summer + HOUR_MS }))
      const hours = await store().hours({ siteId, from: '2026-10-25', to: '2026-10-25' })
      expect(hours).toEqual([
        { start: summer, events: 1 },
        { start: summer + HOUR_MS, events: 1 },
      ])
    })

    it('tells the totals of the whole history', async () => {
      const siteId = await newSite()
      expect(await store().totals(siteId)).toEqual({
        events: 0,
        users: 0,
        sessions: 0,
        firstDay: null,
        lastDay: null,
        lastOccurredAt: null,
        lastReceivedAt: null,
      })
      await insert(
        sampleEvent({ siteId, occurredAt: NOON, receivedAt: NOON + 1 }),
        sampleEvent({ siteId, userId: 'noah', occurredAt: NOON - 40 * DAY_MS, receivedAt: NOON + 9000 }),
      )
      expect(await store().totals(siteId)).toEqual({
        events: 2,
        users: 2,
        sessions: 2,
        firstDay: '2026-10-13',
        lastDay: '2026-11-22',
        lastOccurredAt: NOON,
        lastReceivedAt: NOON + 9000,
      })
    })
  })
}
