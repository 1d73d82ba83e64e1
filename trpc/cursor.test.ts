import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createFixedLists, type FixedLists } from '../server/store/fixed-lists.ts'
import { DAY_MS, NOON, sampleBatch, sampleEvent, sampleSite } from '../server/store/sample-events.ts'
import { createSqliteStore } from '../server/store/sqlite/store.ts'
import { testFolder } from '../server/store/sqlite/test-folder.ts'
import type { Store } from '../server/store/store.ts'
import type { Context, ListAbout } from './init.ts'
import { createCaller } from './router.ts'
import type { Freshness, Site } from './schema/common.ts'
import { eventInput, eventLimits } from './schema/event.ts'

/** Characters that take the most room in one way or another: as UTF-8, in JSON, in base64. */
const characters = ['a', '"', 'é', '顾', '\ud83d\ude00', '\u0001']
const newFolder = testFolder()
const freshness: Freshness = { completeTo: new Date(NOON).toISOString(), waiting: 0 }

let store: Store
let fixedLists: FixedLists<ListAbout>

beforeAll(async () => {
  store = await createSqliteStore({ path: join(await newFolder(), 'v.db'), readers: 1 })
  fixedLists = createFixedLists(Date.now)
})
afterAll(async () => {
  await fixedLists.close()
  await store.close()
})

function callerOf(site: Site) {
  const context = { store, site, fixedLists, freshness: () => freshness, tool: 'test', answerBytes: 1e6 }
  return createCaller(context as unknown as Context)
}

/** The longest id of a character, another one for each number. */
function longest(character: string, length: number, number: number): string {
  const many = character.repeat(Math.floor((length - 2) / character.length))
  return `${number}${many}`.padEnd(length, '.')
}

/** Every page of a list, by the cursors that it gives. */
async function walk<Page>(first: Page, next: (page: Page) => Promise<Page> | null): Promise<Page[]> {
  const pages = [first]
  for (let going = next(first); going; going = next(pages.at(-1)!)) {
    pages.push(await going)
    expect(pages.length).toBeLessThan(10)
  }
  return pages
}

it.each(characters)('takes every cursor that a list gave, with the longest ids of %j', async (character) => {
  const site = sampleSite()
  await store.saveSite(site)
  const caller = callerOf(site)
  const [users, sessions, ids] = [eventLimits.userIdLength, eventLimits.sessionIdLength, eventLimits.eventIdLength].map(
    (length) => [0, 1, 2].map((number) => longest(character, length, number)),
  ) as [string[], string[], string[]]
  for (const [index, userId] of users.entries()) {
    const named = { userId, sessionId: sessions[index], eventId: ids[index], type: 'page_view' }
    expect(eventInput.parse(named)).toMatchObject(named)
  }
  // Instants as long as they can be, and more than one session of the first user.
  const event = (number: number, change: object) =>
    sampleEvent({ siteId: site.id, userId: users[number]!, sessionId: sessions[number]!, occurredAt: NOON, ...change })
  await store.insertBatch(
    sampleBatch(
      ...users.map((_, number) => event(number, { occurredAt: NOON + number })),
      ...[0, 1, 2].map((number) =>
        event(0, { sessionId: sessions[number], eventId: ids[number], occurredAt: NOON - DAY_MS - number }),
      ),
    ),
  )
  for (const sort of ['userId', 'lastActive'] as const)
    for (const state of ['moving', 'fixed'] as const) {
      const list = (cursor?: string) => caller.users.list({ sort, state, pageSize: 1, ...(cursor && { cursor }) })
      const pages = await walk(await list(), ({ nextCursor }) => (nextCursor === null ? null : list(nextCursor)))
      const found = pages.flatMap(({ users }) => users.map(({ userId }) => userId))
      expect(found.toSorted()).toEqual(users)
      const back = await walk(pages.at(-1)!, ({ previousCursor }) =>
        previousCursor === null ? null : list(previousCursor),
      )
      expect(back.flatMap(({ users }) => users.map(({ userId }) => userId))).toEqual(found.reverse())
    }
  const ofUser = { userId: users[0]!, limit: 1 }
  const events = await walk(await caller.journey.byUser(ofUser), ({ nextCursor }) =>
    nextCursor === null ? null : caller.journey.byUser({ ...ofUser, cursor: nextCursor }),
  )
  expect(events.flatMap(({ events }) => events.map(({ eventId }) => eventId))).toEqual(expect.arrayContaining(ids))
  const lists = await walk(await caller.journey.sessions(ofUser), ({ nextCursor }) =>
    nextCursor === null ? null : caller.journey.sessions({ ...ofUser, cursor: nextCursor }),
  )
  expect(lists.flatMap(({ sessions }) => sessions.map(({ sessionId }) => sessionId))).toEqual(sessions)
})
