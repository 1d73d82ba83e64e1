import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Site } from '../../trpc/schema/common.ts'
import { dayStart } from '../analysis/zones.ts'
import { HOUR_MS, MINUTE_MS, sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../store/sample-events.ts'
import { createSqliteStore } from '../store/sqlite/store.ts'
import { testFolder } from '../store/sqlite/test-folder.ts'
import type { Store, StoredEvent } from '../store/store.ts'
import type { Destination } from './destination.ts'
import { type DayExport, exportDay } from './export-day.ts'
import { createFolderDestination } from './folder.ts'
import type { Manifest } from './manifest.ts'

const newFolder = testFolder()
const NOW = Date.UTC(2026, 10, 23, 10)
const DAY = '2026-11-22'
const { signal } = new AbortController()

describe('the export of a day', () => {
  let store: Store
  let folder: string
  let site: Site
  let waiting: number | null

  beforeEach(async () => {
    const home = await newFolder()
    folder = join(home, 'exports')
    store = await createSqliteStore({ path: join(home, 'veritas.db'), readers: 1 })
    site = await store.saveSite(sampleSite())
    waiting = null
  })
  afterEach(() => store.close())

  const freshness = () => ({ completeTo: new Date(waiting ?? NOW).toISOString(), waiting: waiting === null ? 0 : 1 })
  const parts = (destination: Destination = createFolderDestination(folder)) => ({
    store,
    destination,
    freshness,
    now: () => NOW,
  })
  const run = (over: Partial<DayExport> = {}, destination?: Destination) =>
    exportDay(parts(destination), { site, day: DAY, when: 'needed', signal, ...over })
  const put = (...events: Partial<StoredEvent>[]) =>
    store.insertBatch(sampleBatch(...events.map((event) => sampleEvent({ siteId: site.id, ...event }))))
  const path = (file: string, day = DAY) => join(folder, `site=${site.id}`, `day=${day}`, file)
  const json = async (file: string, day = DAY) => JSON.parse(await readFile(path(file, day), 'utf8'))
  const lines = async (day = DAY) =>
    gunzipSync(await readFile(path('events.ndjson.gz', day)))
      .toString('utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))

  it('has every event of the day as it was posted, its figures, and a manifest of both', async () => {
    const noon = dayStart(site.timeZone, DAY) + 12 * HOUR_MS
    const payload = JSON.parse('{"text":"Zelt\\n\\u2028 \\ud800 😀","__proto__":{"x":1},"n":1e300,"a":[null,{}]}')
    const event = sampleEvent({
      siteId: site.id,
      payload,
      occurredAt: noon,
      receivedAt: noon + 5,
      issues: [{ path: 'url', message: 'is missing' }],
    })
    const order = samplePurchase({ siteId: site.id, occurredAt: noon + 1, sessionId: 'second' })
    await store.insertBatch(sampleBatch(event, order))
    const manifest = await run()

    const { occurredAt, receivedAt, ...same } = event
    const times = { occurredAt: new Date(occurredAt).toISOString(), receivedAt: new Date(receivedAt).toISOString() }
    const [first] = (await lines()).filter((line) => line.eventId === event.eventId)
    expect(first).toEqual({ ...same, ...times })
    expect(JSON.stringify(first.payload)).toBe(JSON.stringify(payload))
    expect(await json('figures.json')).toMatchObject({
      site: site.id,
      day: DAY,
      timeZone: 'Europe/Berlin',
      totalEvents: 2,
      totalUsers: 1,
      sessions: 2,
      orders: 1,
      conversion: 0.5,
      money: [
        {
          ...{ currency: 'EUR', decimals: 2, orders: 1, gross: 2000 },
          ...{ verified: { orders: 1, gross: 2000 }, claimed: { orders: 0, gross: 0 } },
        },
      ],
      eventsByType: [
        { type: 'page_view', events: 1 },
        { type: 'purchase', events: 1 },
      ],
      eventsByHour: [{ start: '2026-11-22T11:00:00.000Z', events: 2 }],
    })
    expect(await json('manifest.json')).toEqual(manifest)
    expect(manifest).toMatchObject({
      format: 'veritas-export/1',
      events: 2,
      from: '2026-11-21T23:00:00.000Z',
      to: '2026-11-22T23:00:00.000Z',
      completeTo: new Date(NOW).toISOString(),
    })
    expect(await isWhole(DAY)).toBe(true)
  })

  it.each([
    ['2026-03-29', 'Europe/Berlin', 23],
    ['2025-10-26', 'Europe/Berlin', 25],
    ['2026-11-22', 'Asia/Kathmandu', 24],
    ['2026-04-05', 'Australia/Lord_Howe', 24.5],
  ])('of %s in %s has its %d hours and nothing of the days around it', async (day, timeZone, hours) => {
    site = await store.saveSite({ ...site, timeZone })
    const from = dayStart(timeZone, day)
    const to = from + hours * HOUR_MS
    const within = [from, from + 2.5 * HOUR_MS, to - MINUTE_MS, to - 1]
    await put(...[from - 1, ...within, to].map((occurredAt) => ({ occurredAt })))
    const manifest = await run({ day })
    expect(manifest).toMatchObject({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), events: 4 })
    expect((await lines(day)).map((line) => Date.parse(line.occurredAt))).toEqual(within)
    expect(await json('figures.json', day)).toMatchObject({ totalEvents: 4 })
  })

  it('of a day without events is there too', async () => {
    expect(await run()).toMatchObject({ events: 0 })
    expect(await lines()).toEqual([])
    expect(await isWhole(DAY)).toBe(true)
  })

  it('is refused for a day that has not ended', async () => {
    await expect(run({ day: '2026-11-23' })).rejects.toMatchObject({ code: 'invalid_input', field: 'day' })
    await expect(readdir(folder)).rejects.toThrow()
  })

  it('is left as it is while nothing changes, and the same bytes when it is forced', async () => {
    await put({ occurredAt: dayStart(site.timeZone, DAY) })
    const first = await run()
    const bytes = await readFile(path('events.ndjson.gz'))
    expect(await run()).toBeNull()
    expect(await run({ when: 'changed' })).toBeNull()
    expect(await run({ when: 'always' })).toEqual(first)
    expect(await readFile(path('events.ndjson.gz'))).toEqual(bytes)
  })

  it('is made again when late events changed the day, when a file is damaged and when events were waiting', async () => {
    await put({ occurredAt: dayStart(site.timeZone, DAY) })
    await run()
    await put({ occurredAt: dayStart(site.timeZone, DAY) + 1 })
    expect(await run({ when: 'changed' })).toMatchObject({ events: 2 })
    expect(await run()).toBeNull()

    await writeFile(path('events.ndjson.gz'), 'cut')
    expect(await run()).toMatchObject({ events: 2 })
    await rm(path('figures.json'))
    expect(await run()).toMatchObject({ events: 2 })

    waiting = dayStart(site.timeZone, DAY) + HOUR_MS
    expect(await run({ when: 'always' })).toMatchObject({ completeTo: new Date(waiting).toISOString() })
    waiting = null
    expect(await run()).toMatchObject({ completeTo: new Date(NOW).toISOString() })
  })

  it('is not made for changes alone where there is none', async () => {
    await put({ occurredAt: dayStart(site.timeZone, DAY) })
    expect(await run({ when: 'changed' })).toBeNull()
  })

  it('is made up for when it was to be made again for late events and stopped in the middle', async () => {
    await put({ occurredAt: dayStart(site.timeZone, DAY) })
    await run()
    await put({ occurredAt: dayStart(site.timeZone, DAY) + 1 })
    const folderDestination = createFolderDestination(folder)
    const died = {
      ...folderDestination,
      write: async () => {
        throw new Error('died')
      },
    }
    await expect(run({ when: 'changed' }, died)).rejects.toThrow('died')
    expect(await isWhole(DAY)).toBe(false)
    expect(await run({ when: 'changed' })).toMatchObject({ events: 2 })
    expect(await isWhole(DAY)).toBe(true)
  })

  it('comes to an end though late events never do: it is of one moment', async () => {
    const occurredAt = dayStart(site.timeZone, DAY)
    let clock = NOW
    const late = () => put({ occurredAt, receivedAt: ++clock }, { occurredAt, receivedAt: ++clock, type: 'search' })
    for (let n = 0; n < 5; n++) await late()
    const busy = {
      ...store,
      async *scanEvents(...asked: Parameters<Store['scanEvents']>) {
        await late()
        yield* store.scanEvents(...asked)
        await late()
      },
    }
    const began = clock
    const manifest = await exportDay(
      {
        ...parts(),
        store: busy,
        now: () => clock,
        freshness: () => ({ completeTo: new Date(clock).toISOString(), waiting: 0 }),
      },
      { site, day: DAY, when: 'needed', signal },
    )
    expect(manifest).toMatchObject({ events: 10, completeTo: new Date(began).toISOString() })
    expect(await isWhole(DAY)).toBe(true)
    expect((await lines()).every((line) => Date.parse(line.receivedAt) <= began)).toBe(true)
    expect((await json('figures.json')).eventsByType).toEqual([
      { type: 'page_view', events: 5 },
      { type: 'search', events: 5 },
    ])
    expect(await run({ when: 'changed' })).toMatchObject({ events: 14 })
  })

  it('finds its moment between late events that come all the time, some of them not stored yet', async () => {
    const occurredAt = dayStart(site.timeZone, DAY)
    let clock = NOW
    let looks = 0
    // Each is received, and stored a little later.
    let waiting: number[] = [++clock, ++clock]
    for (let n = 0; n < 25; n++) await put({ occurredAt, receivedAt: NOW })
    const busy = {
      ...store,
      async hours(...asked: Parameters<Store['hours']>) {
        const answer = await store.hours(...asked)
        looks += 1
        // Now and then between the two readings of one look, else between two looks.
        if (looks % 2 === 0 || looks % 5 === 0) {
          const stored = waiting
          waiting = [++clock, ++clock]
          await put(...stored.map((receivedAt) => ({ occurredAt, receivedAt })))
        }
        return answer
      },
      async *scanEvents(...asked: Parameters<Store['scanEvents']>) {
        await put(...waiting.splice(0).map((receivedAt) => ({ occurredAt, receivedAt })))
        yield* store.scanEvents(...asked)
      },
    }
    const completeTo = () => new Date(waiting.length > 0 ? waiting[0]! - 1 : clock).toISOString()
    const freshness = () => ({ completeTo: completeTo(), waiting: waiting.length })
    const wanted = { site, day: DAY, when: 'needed', signal } as const
    const manifest = await exportDay({ ...parts(), store: busy, now: () => clock, freshness }, wanted)
    expect(manifest!.events).toBeGreaterThan(50)
    expect(await isWhole(DAY)).toBe(true)
    const received = (await lines()).map((line) => line.receivedAt)
    expect(received.every((at) => at <= manifest!.completeTo)).toBe(true)
    const all: StoredEvent[] = []
    for await (const page of store.scanEvents(site.id)) all.push(...page)
    const due = all.filter(({ receivedAt }) => receivedAt <= Date.parse(manifest!.completeTo))
    expect(received).toHaveLength(due.length)
    expect(all.length).toBeGreaterThan(due.length)
  })

  it('is not whole with a file that somebody else put in its place', async () => {
    await put({ occurredAt: dayStart(site.timeZone, DAY) })
    const folderDestination = createFolderDestination(folder)
    const crowded: Destination = {
      ...folderDestination,
      async write(key, content, on) {
        if (key.endsWith('manifest.json')) await writeFile(path('events.ndjson.gz'), 'of another store')
        await folderDestination.write(key, content, on)
      },
    }
    await expect(run({}, crowded)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/else/),
    })
    expect(await isWhole(DAY)).toBe(false)
  })

  it('takes in what comes while it is written, or says that too much comes', async () => {
    const occurredAt = dayStart(site.timeZone, DAY)
    await put({ occurredAt })
    let more = 1
    const busy: Destination = {
      ...createFolderDestination(folder),
      async write(key, content, on) {
        // As from the log of another machine: received long before it is stored.
        if (more > 0 && key.endsWith('.gz')) await put({ occurredAt })
        more -= 1
        await createFolderDestination(folder).write(key, content, on)
      },
    }
    expect(await run({}, busy)).toMatchObject({ events: 2 })
    more = Number.POSITIVE_INFINITY
    await expect(run({ when: 'always' }, busy)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await isWhole(DAY)).toBe(false)
  })

  it('is refused for a day whose events are not kept any more; an earlier export stays', async () => {
    await put({ occurredAt: dayStart(site.timeZone, DAY) })
    const first = await run()
    const dropped = (month: number) => ({ ...parts(), store: { ...store, keptFrom: async () => month } })
    const wanted = { site, day: DAY, when: 'always', signal } as const
    await expect(exportDay(dropped(202612), wanted)).rejects.toMatchObject({ code: 'conflict', field: 'day' })
    expect(await json('manifest.json')).toEqual(first)
    expect(await exportDay(dropped(202611), wanted)).toEqual(first)
  })

  it('is not complete when the store does not have every event that its figures count', async () => {
    await put({ occurredAt: dayStart(site.timeZone, DAY) })
    const gone = { ...store, scanEvents: async function* () {} }
    const lost = exportDay({ ...parts(), store: gone }, { site, day: DAY, when: 'needed', signal })
    await expect(lost).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('has 0') })
    expect(await isWhole(DAY)).toBe(false)
  })

  it('that stops at any step leaves nothing that looks complete, and the next makes up for it', async () => {
    const occurredAt = dayStart(site.timeZone, DAY)
    await put(...Array.from({ length: 50 }, () => ({ occurredAt })))
    const folderDestination = createFolderDestination(folder)
    await run()
    let whole = 0
    for (let step = 1; ; step++) {
      await put({ occurredAt })
      // Dies before the step; writes also die in their middle, with a part of the content.
      let left = step
      const dies = () => {
        left -= 1
        if (left === 0) throw new Error('died')
      }
      const mortal: Destination = {
        ...folderDestination,
        async remove(key) {
          dies()
          await folderDestination.remove(key)
        },
        async tidy(prefix) {
          dies()
          await folderDestination.tidy(prefix)
        },
        async write(key, content, on) {
          dies()
          const cut = async function* () {
            for await (const part of content) {
              yield part.subarray(0, part.length / 2)
              dies()
              yield part.subarray(part.length / 2)
            }
          }
          await folderDestination.write(key, cut(), on)
          dies()
        },
      }
      const outcome = await run({}, mortal).catch(() => null)
      // The old export is whole until its manifest goes; then there is none until the last file is written.
      if ((await readdir(join(path('..'), `day=${DAY}`))).includes('manifest.json')) {
        expect(await isWhole(DAY)).toBe(true)
        whole += 1
      }
      if (outcome) {
        expect(step).toBeGreaterThan(8)
        break
      }
      const again = await run()
      if (again) expect(again.events).toBe(50 + step)
      expect(await isWhole(DAY)).toBe(true)
      expect((await readdir(join(path('..'), `day=${DAY}`))).sort()).toEqual([
        'events.ndjson.gz',
        'figures.json',
        'manifest.json',
      ])
    }
    // Before the first step, after the last, and at the end.
    expect(whole).toBe(3)
  })

  it('ends soon when it is told to, and leaves nothing', async () => {
    await put({ occurredAt: dayStart(site.timeZone, DAY) })
    const stop = new AbortController()
    const endless = {
      ...store,
      async *scanEvents() {
        for (let page = 0; ; page++) {
          if (page === 3) stop.abort(new Error('stopped'))
          yield [sampleEvent({ siteId: site.id })]
        }
      },
    }
    const stopped = exportDay({ ...parts(), store: endless }, { site, day: DAY, when: 'needed', signal: stop.signal })
    await expect(stopped).rejects.toThrow('stopped')
    expect(await readdir(join(folder, `site=${site.id}`, `day=${DAY}`))).toEqual([])
  })

  it('clears away what a process that was killed left', async () => {
    const day = join(folder, `site=${site.id}`, `day=${DAY}`)
    await mkdir(day, { recursive: true })
    await writeFile(join(day, '.events.ndjson.gz.0190b3c4.draft'), 'half')
    await run()
    expect(await readdir(day)).not.toContainEqual(expect.stringContaining('draft'))
  })

  /** Whether a reader that goes by the manifest sees a whole export. */
  async function isWhole(day: string): Promise<boolean> {
    const manifest = (await json('manifest.json', day).catch(() => null)) as Manifest | null
    if (!manifest) return false
    for (const { name, bytes, sha256 } of manifest.files) {
      const content = await readFile(path(name, day))
      expect([content.length, createHash('sha256').update(content).digest('hex')], name).toEqual([bytes, sha256])
    }
    expect(await lines(day)).toHaveLength(manifest.events)
    expect((await json('figures.json', day)).totalEvents).toBe(manifest.events)
    return true
  }
})
