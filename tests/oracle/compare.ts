import { isDeepStrictEqual } from 'node:util'
import { daysBetween, plusDays } from './calendar.ts'
import { byBytes, type KeptEvent, type Oracle } from './figures.ts'
import type { drawer } from './random-posts.ts'

/** JSON from the server. */
export type Answer = Record<string, unknown>

/** Counts comparisons and collects differences. */
export class Comparison {
  compared = 0
  readonly differences: string[] = []

  /** Compares recursively all parts of `expected`; ignores other properties of `actual`. */
  equal(what: string, actual: unknown, expected: unknown): void {
    if (Array.isArray(expected)) {
      this.one(`${what}: how many`, Array.isArray(actual) ? actual.length : actual, expected.length)
      for (const [index, part] of expected.entries()) this.equal(`${what}[${index}]`, partOf(actual, index), part)
      return
    }
    if (typeof expected === 'object' && expected !== null) {
      for (const [name, part] of Object.entries(expected)) this.equal(`${what}.${name}`, partOf(actual, name), part)
      return
    }
    this.one(what, actual, expected)
  }

  /** Compares as a whole; additional properties are differences. */
  one(what: string, actual: unknown, expected: unknown): void {
    this.compared += 1
    if (isDeepStrictEqual(actual, expected)) return
    this.differences.push(`${what}: ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`)
  }
}

function partOf(of: unknown, name: string | number): unknown {
  return typeof of === 'object' && of !== null ? (of as Record<string | number, unknown>)[name] : undefined
}

export interface Asked {
  oracle: Oracle
  /** Requests an address and resolves to its JSON. */
  get(path: string): Promise<Answer>
  draw: ReturnType<typeof drawer>
  comparison: Comparison
}

const figureNames = ['from', 'to', 'interval'] as const

/** Compares /stats of the whole history and of ranges around it, by hour, day and week. */
export async function compareStats({ oracle, get, draw, comparison }: Asked): Promise<void> {
  const eventDays = [...new Set(oracle.events.map(({ at }) => oracle.calendar.day(at)))].sort()
  const [first, last] = [eventDays[0]!, eventDays.at(-1)!]
  comparison.equal('/stats', await get('/stats'), {
    totalEvents: oracle.events.length,
    totalUsers: oracle.users().length,
    allTime: { events: oracle.events.length, users: oracle.users().length, firstDay: first, lastDay: last },
  })
  const ranges = [
    { from: first, to: last },
    { from: plusDays(first, -3), to: plusDays(first, 3) },
    ...eventDays.slice(0, 4).map((day) => ({ from: day, to: day })),
    ...Array.from({ length: 4 }, () => {
      const from = draw.pick(eventDays)
      return { from, to: plusDays(from, draw.below(40)) }
    }),
  ]
  for (const { from, to } of ranges) {
    const isShort = daysBetween(from, to).length <= 31
    const interval = isShort ? draw.pick(['hour', 'day', 'week'] as const) : draw.pick(['day', 'week'] as const)
    const asked = { from, to, interval }
    const path = `/stats?${figureNames.map((name) => `${name}=${asked[name]}`).join('&')}`
    const answer = await get(path)
    comparison.equal(path, answer, {
      ...oracle.figures(from, to),
      eventsByType: oracle.types(from, to),
      days: oracle.days(from, to),
      eventsByDay: oracle.days(from, to).map(({ date, events }) => ({ date, count: events })),
    })
    const aside = answer.aside as { reason: string; currency: string | null; purchases: number; gross: number }[]
    const found = aside.map(({ reason, currency, ...sum }) => [
      JSON.stringify([reason, currency]),
      { purchases: sum.purchases, gross: sum.gross },
    ])
    comparison.one(`${path}: set aside`, Object.fromEntries(found), oracle.aside(from, to))
    const { points } = answer.series as { points: { at: string; date: string; events: number }[] }
    const expected: Record<string, number> =
      interval === 'day'
        ? Object.fromEntries(oracle.days(from, to).flatMap(({ date, events }) => (events ? [[date, events]] : [])))
        : oracle.buckets(from, to, interval)
    const name = interval === 'hour' ? 'at' : 'date'
    const filled = points.filter(({ events }) => events > 0).map((point) => [point[name], point.events])
    comparison.one(`${path}: buckets`, Object.fromEntries(filled), expected)
    comparison.one(`${path}: order of buckets`, new Set(points.map(({ at }) => at)).size, points.length)
  }
}

const sorts = ['userId', 'totalSessions', 'totalEvents', 'orders', 'firstActive', 'lastActive'] as const
type UserFigures = ReturnType<Oracle['users']>[number]

function userOrder(sort: (typeof sorts)[number], order: 'asc' | 'desc') {
  const compare = (a: UserFigures, b: UserFigures) => {
    const [x, y] = [a[sort], b[sort]]
    const difference = typeof x === 'number' && typeof y === 'number' ? x - y : byBytes(String(x), String(y))
    return difference || byBytes(a.userId, b.userId)
  }
  return order === 'asc' ? compare : (a: UserFigures, b: UserFigures) => compare(b, a)
}

/** Compares the list of users in every order, page by page by cursor and by number, and searched by id prefix. */
export async function compareUsers({ oracle, get, draw, comparison }: Asked): Promise<void> {
  const all = oracle.users()
  for (const sort of sorts)
    for (const order of ['asc', 'desc'] as const) {
      const expected = [...all].sort(userOrder(sort, order))
      const pageSize = 2 + draw.below(6)
      const listed: unknown[] = []
      let cursor: string | null = null
      do {
        const at: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
        const page: Answer = await get(`/users?sort=${sort}&order=${order}&pageSize=${pageSize}${at}`)
        listed.push(...(page.users as unknown[]))
        cursor = page.nextCursor as string | null
      } while (cursor !== null && listed.length <= all.length)
      comparison.equal(`/users by ${sort} ${order}`, listed, expected)
      const number = 1 + draw.below(Math.ceil(all.length / pageSize))
      const page = await get(`/users?sort=${sort}&order=${order}&pageSize=${pageSize}&page=${number}`)
      comparison.equal(`/users by ${sort} ${order}, page ${number}`, page, {
        users: expected.slice((number - 1) * pageSize, number * pageSize),
        totalCount: all.length,
        totalPages: Math.ceil(all.length / pageSize),
      })
    }
  for (const search of ['u', 'u1', 'uﬀ', 'a/', '%', 'nobody']) {
    const found = all.filter(({ userId }) => userId.startsWith(search)).sort(userOrder('userId', 'asc'))
    const path = `/users?sort=userId&order=asc&pageSize=100&search=${encodeURIComponent(search)}`
    comparison.equal(path, await get(path), { users: found, totalCount: found.length })
  }
}

const shown = ({ eventId, userId, sessionId, type, occurredAt }: KeptEvent) => ({
  eventId,
  userId,
  sessionId,
  type,
  occurredAt,
})

/** Compares profile, timeline and sessions of every user, with and without filters. */
export async function compareJourneys({ oracle, get, draw, comparison }: Asked): Promise<void> {
  for (const user of oracle.users()) {
    const address = `/users/${encodeURIComponent(user.userId)}`
    comparison.equal(address, await get(address), user)
    const events = oracle.journey(user.userId)
    const order = draw.pick(['asc', 'desc'] as const)
    const inWanted = (kept: KeptEvent[]) => (order === 'asc' ? kept : [...kept].reverse()).map(shown)

    const limit = 1 + draw.below(15)
    const listed: unknown[] = []
    let cursor: string | null = null
    do {
      const at: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const page: Answer = await get(`${address}/journey?order=${order}&limit=${limit}${at}`)
      listed.push(...(page.events as unknown[]))
      cursor = page.nextCursor as string | null
    } while (cursor !== null && listed.length <= events.length)
    comparison.equal(`${address}/journey ${order}`, listed, inWanted(events))

    const { sessionId, type, at } = draw.pick(events)
    const day = oracle.calendar.day(at)
    const filters: [string, (event: KeptEvent) => boolean][] = [
      [`type=${type}`, (event) => event.type === type],
      [`sessionId=${encodeURIComponent(sessionId)}`, (event) => event.sessionId === sessionId],
      [`from=${day}&to=${day}`, (event) => oracle.calendar.day(event.at) === day],
      [`from=${encodeURIComponent(new Date(at).toISOString())}`, (event) => event.at >= at],
      [
        `to=${encodeURIComponent(new Date(at).toISOString())}&type=${type}`,
        (event) => event.at <= at && event.type === type,
      ],
    ]
    for (const [query, isWanted] of filters) {
      const path = `${address}/journey?order=${order}&limit=1000&${query}`
      const answer = await get(path)
      const expected = events.filter(isWanted)
      comparison.equal(path, answer, { events: inWanted(expected), count: expected.length })
      const own = new Set(expected.map((event) => event.sessionId))
      const sessions = (answer.sessions as { sessionId: string }[]).sort((a, b) => byBytes(a.sessionId, b.sessionId))
      const wanted = oracle.sessions(user.userId).filter((session) => own.has(session.sessionId))
      comparison.equal(
        `${path}: sessions`,
        sessions,
        wanted.sort((a, b) => byBytes(a.sessionId, b.sessionId)),
      )
    }

    const sessions = oracle.sessions(user.userId).reverse()
    const path = `${address}/sessions?limit=200`
    comparison.equal(path, await get(path), { sessions, totalSessions: sessions.length })
  }
}

/** The files that `npm run export` wrote for a day. */
export interface ExportedDay {
  lines: Answer[]
  figures: Answer
}

/** Compares the exported files of some days: every line, and the figures. */
export async function compareExports(
  { oracle, draw, comparison }: Asked,
  exported: (day: string) => Promise<ExportedDay>,
): Promise<void> {
  const eventDays = [...new Set(oracle.events.map(({ at }) => oracle.calendar.day(at)))]
  for (const day of new Set([eventDays[0]!, draw.pick(eventDays)])) {
    const { lines, figures } = await exported(day)
    const events = oracle.events.filter(({ at }) => oracle.calendar.day(at) === day)
    const byId = (a: { eventId: unknown }, b: { eventId: unknown }) => byBytes(String(a.eventId), String(b.eventId))
    const found = lines.map((line) => ({ ...line, eventId: line.eventId })).sort(byId)
    comparison.equal(`export of ${day}: lines`, found, [...events].sort(byId).map(shown))
    comparison.equal(`export of ${day}: figures`, figures, {
      ...oracle.figures(day, day),
      eventsByType: oracle.types(day, day).map(({ type, count }) => ({ type, events: count })),
    })
    const hours = figures.eventsByHour as { start: string; events: number }[]
    const foundHours = Object.fromEntries(hours.map(({ start, events: count }) => [start, count]))
    comparison.one(`export of ${day}: hours`, foundHours, oracle.buckets(day, day, 'hour'))
  }
}

/** Parses a CSV file (RFC 4180) into cells. */
export function csvCells(text: string): string[][] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain, end] of text
    .replace(/^\ufeff/, '')
    .matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1)!.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (end === '\r\n') rows.push([])
    if (end === '') break
  }
  return rows.filter((row) => row.length > 1 || row[0] !== '')
}

/** Compares users.csv: every user once, with the figures of the list and a column per currency. */
export async function compareUsersFile({ oracle, comparison }: Asked, text: string): Promise<void> {
  const [head = [], ...rows] = csvCells(text)
  const places: Record<string, number> = { EUR: 2, JPY: 0, KWD: 3, CLF: 4, HUF: 2, RSD: 2 }
  const byId = (a: Record<string, string>, b: Record<string, string>) => byBytes(a.user_id ?? '', b.user_id ?? '')
  const instant = (cell: string | undefined) => new Date(cell ?? '').toISOString()
  const found = rows
    .map((row): Record<string, string> => Object.fromEntries(row.map((cell, index) => [head[index] ?? '', cell])))
    // The file has local times with offsets; convert them to UTC.
    .map((row) => ({ ...row, first_active: instant(row.first_active), last_active: instant(row.last_active) }))
  const expected = oracle.users().map((user) => ({
    user_id: user.userId,
    total_events: String(user.totalEvents),
    total_sessions: String(user.totalSessions),
    orders: String(user.orders),
    first_active: user.firstActive,
    last_active: user.lastActive,
    ...Object.fromEntries(
      user.money.map(({ currency, gross }) => {
        const digits = String(gross).padStart(places[currency]! + 1, '0')
        const cut = digits.length - places[currency]!
        return [`revenue_${currency}`, places[currency] ? `${digits.slice(0, cut)}.${digits.slice(cut)}` : digits]
      }),
    ),
  }))
  comparison.equal('users.csv', found.sort(byId), expected.sort(byId))
}
