import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { addDays, dayOf, dayStart } from '../server/analysis/zones.ts'
import { readText } from '../server/export/destination.ts'
import { exportDay } from '../server/export/export-day.ts'
import { createFolderDestination } from '../server/export/folder.ts'
import type { Manifest } from '../server/export/manifest.ts'
import { openDestination } from '../server/export/open.ts'
import { lastClosedDay } from '../server/jobs/days.ts'
import { createMongoStore } from '../server/store/mongo/store.ts'
import { HOUR_MS, sampleBatch, sampleEvent } from '../server/store/sample-events.ts'
import { createSqliteStore } from '../server/store/sqlite/store.ts'
import type { Store } from '../server/store/store.ts'
import { awayFromHours } from './day-boundary.ts'
import { startMongo } from './mongo/mongo-server.ts'
import { mongo } from './mongo/need.ts'
import { describeWith } from './needs.ts'
import { type S3Server, s3Program, startS3 } from './s3-server.ts'
import { startServer, temporaryFolder } from './server.ts'
import { eventually } from './shop.ts'

const run = promisify(execFile)
const zone = 'Europe/Berlin'
// The hour of the export, and midnight in summer and winter.
await awayFromHours(10, 22, 23)
const site = { id: 'default', name: 'Shop', timeZone: zone, currency: 'EUR' }
const JOB = 'export:default'
const lastClosed = () => lastClosedDay(zone, Date.now(), 10 * 60)
const cli = (args: string[], env: Record<string, string> = {}) =>
  run('node', ['--import', 'tsx', 'scripts/export.ts', ...args], { env: { ...process.env, ...env } })

/** A data folder with so many events on each of the days before today. */
async function shop(eventsByDay: number[]): Promise<string> {
  const dataDir = temporaryFolder()
  await withStore(dataDir, async (store) => {
    await store.saveSite(site)
    const today = dayOf(zone, Date.now())
    for (const [index, count] of eventsByDay.entries()) {
      const occurredAt = dayStart(zone, addDays(today, -1 - index)) + HOUR_MS
      const events = Array.from({ length: count }, (_, n) =>
        sampleEvent({
          siteId: site.id,
          eventId: `${index}-${n}`,
          occurredAt: occurredAt + n,
          userId: `user-${n % 99}`,
        }),
      )
      while (events.length > 0) await store.insertBatch(sampleBatch(...events.splice(0, 2000)))
    }
  })
  return dataDir
}

async function withStore<T>(dataDir: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await createSqliteStore({ path: join(dataDir, 'veritas.db'), readers: 1 })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

const jobState = (dataDir: string) =>
  withStore(dataDir, async (store) => (await store.jobs.list()).find((job) => job.name === JOB))

/** The manifest of a day whose files are what it says; null where there is none. */
async function wholeDay(folder: string, day: string): Promise<Manifest | null> {
  const path = join(folder, 'site=default', `day=${day}`)
  const text = await readFile(join(path, 'manifest.json'), 'utf8').catch(() => null)
  if (text === null) return null
  const manifest = JSON.parse(text) as Manifest
  for (const { name, bytes, sha256 } of manifest.files) {
    const content = await readFile(join(path, name))
    expect([content.length, createHash('sha256').update(content).digest('hex')]).toEqual([bytes, sha256])
  }
  const lines = gunzipSync(await readFile(join(path, 'events.ndjson.gz')))
    .toString()
    .split('\n')
  expect(lines.length - 1).toBe(manifest.events)
  return manifest
}

describe('the daily export of running servers', () => {
  it('catches up the missed days, each once, though two processes could', async () => {
    const dataDir = await shop([30, 20, 10, 5, 3])
    const folder = join(temporaryFolder(), 'exports')
    const last = lastClosed()
    await withStore(dataDir, async ({ jobs }) => {
      await jobs.claim({ name: JOB, owner: 'before', now: 0, until: 1 })
      await jobs.note({ name: JOB, owner: 'before', note: { kind: 'begun', doneThrough: addDays(last, -3) } })
    })
    const options = { dataDir, args: ['--no-demo'], env: { EXPORT_URL: `file:${folder}`, SITE_TIME_ZONE: zone } }
    const servers = await Promise.all([startServer(options), startServer(options)])
    await eventually(async () => expect((await jobState(dataDir))?.doneThrough).toBe(last))
    const ended = await Promise.all(servers.map((server) => server.stop()))
    expect(ended).toEqual([0, 0])
    expect(await jobState(dataDir)).toMatchObject({ succeeded: 3, failed: 0, owner: null })
    // What runs at night is not to be read before where the server is.
    for (const server of servers) {
      const [greeting] = server.output().split('job begins', 1)
      expect(greeting).toContain('Stop with Ctrl+C.')
    }
    const output = servers.map((server) => server.output()).join('')
    for (const day of [last, addDays(last, -1), addDays(last, -2)]) {
      expect(await wholeDay(folder, day)).toMatchObject({ day, timeZone: zone })
      expect(output.match(new RegExp(`"day":"${day}","events":\\d+,"msg":"day exported"`, 'g'))).toHaveLength(1)
    }
    expect(await readdir(join(folder, 'site=default'))).toHaveLength(3)
  })

  it('runs in no process that only takes events, and in none without EXPORT_URL', async () => {
    const dataDir = await shop([1])
    const folder = join(temporaryFolder(), 'exports')
    const env = { EXPORT_URL: `file:${folder}`, SITE_TIME_ZONE: zone }
    const ingest = await startServer({ dataDir, args: ['--no-demo'], env: { ...env, ROLE: 'ingest' } })
    const none = await startServer({ dataDir, args: ['--no-demo'], env: { SITE_TIME_ZONE: zone } })
    await sleep(1000)
    expect(await jobState(dataDir)).toBeUndefined()
    await Promise.all([ingest.stop(), none.stop()])
    await expect(readdir(folder)).rejects.toThrow()
  })
})

describe('npm run export', () => {
  let dataDir: string
  let folder: string
  const yesterday = addDays(dayOf(zone, Date.now()), -1)
  const day = ['--day', yesterday]
  const into = () => ['--data-dir', dataDir, '--to', folder]

  beforeAll(async () => {
    dataDir = await shop([20_000])
    folder = join(temporaryFolder(), 'exports')
  })

  it('exports a day once beside the running server, and again when it is forced to', async () => {
    const server = await startServer({ dataDir, args: ['--no-demo'], env: { SITE_TIME_ZONE: zone } })
    expect((await cli([...day, ...into()])).stdout).toContain(`20000 events of ${yesterday} are at`)
    expect(await wholeDay(folder, yesterday)).toMatchObject({ events: 20_000 })
    expect((await cli([...day, ...into()])).stdout).toContain('is up to date')
    expect((await cli([...day, ...into(), '--force'])).stdout).toContain('20000 events')
    expect(await server.stop()).toBe(0)
  })

  it('leaves nothing that looks complete, wherever it is killed', async () => {
    let withoutManifest = 0
    for (let round = 0; round < 8; round++) {
      const child = spawn('node', ['--import', 'tsx', 'scripts/export.ts', ...day, ...into(), '--force'])
      const closed = once(child, 'close')
      // It begins to change things when the manifest goes; then it is killed a little later each time.
      const before = await wholeDay(folder, yesterday)
      while (before && child.exitCode === null && (await hasManifest())) await sleep(1)
      await sleep(round * 15)
      child.kill('SIGKILL')
      await closed
      if ((await wholeDay(folder, yesterday)) === null) withoutManifest += 1
      // Its lease would hold up the next for a minute.
      await withStore(dataDir, ({ jobs }) =>
        jobs.claim({ name: JOB, owner: 'test', now: Date.now() + HOUR_MS, until: 0 }),
      )
      await cli([...day, ...into(), '--force'])
      expect(await wholeDay(folder, yesterday)).toMatchObject({ events: 20_000 })
      expect(await readdir(join(folder, 'site=default', `day=${yesterday}`))).toHaveLength(3)
    }
    expect(withoutManifest).toBeGreaterThan(0)
  })

  const hasManifest = async () =>
    (await readdir(join(folder, 'site=default', `day=${yesterday}`)).catch((): string[] => [])).includes(
      'manifest.json',
    )

  it('waits for nobody: another that exports is told', async () => {
    await withStore(dataDir, ({ jobs }) =>
      jobs.claim({ name: JOB, owner: 'other', now: Date.now() + HOUR_MS, until: Date.now() + HOUR_MS }),
    )
    await expect(cli([...day, ...into(), '--force'])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Another process is exporting'),
    })
    await withStore(dataDir, ({ jobs }) => jobs.release({ name: JOB, owner: 'other' }))
  })

  it.each([
    ['no day', ['--to', 'x'], 2, '--day'],
    ['a day that is none', ['--day', '2026-02-30', '--to', 'x'], 2, '--day'],
    ['a day that has not ended', ['--day', '2999-01-01', '--to', 'nowhere'], 2, 'has not ended'],
    ['a place that is none', ['--day', '2026-01-01', '--to', 'ftp://x/y'], 2, 'ftp://x/y'],
    ['an unknown option', ['--days', '2026-01-01'], 2, '--days'],
    ['an unknown site', ['--day', '2026-01-01', '--to', 'nowhere', '--site', 'x'], 1, 'no site x'],
    // Linux; elsewhere it cannot be made either.
    ['a folder where none can be', ['--day', '2026-01-01', '--to', '/proc/veritas/x'], 1, '/proc/veritas'],
    ['a folder that cannot be made', ['--day', '2026-01-01', '--to', 'package.json/x'], 1, 'package.json'],
  ])('tells %s in one line', async (_, args, code, text) => {
    const failure = await cli([...args, '--data-dir', dataDir]).catch((error) => error)
    expect(failure).toMatchObject({ code, stderr: expect.stringContaining(text) })
    expect(failure.stderr.replace(/^Store: .*\n/, '').trim()).not.toContain('\n')
  })
})

describeWith(mongo, 'the export from MongoDB', () => {
  it('is that of SQLite, line by line', async () => {
    const server = await startMongo()
    const path = join(temporaryFolder(), 'veritas.db')
    const stores = [
      await createSqliteStore({ path, readers: 1 }),
      await createMongoStore({ url: server.newDatabase() }),
    ]
    const day = '2026-11-22'
    const from = dayStart(zone, day)
    const events = Array.from({ length: 6000 }, (_, n) =>
      sampleEvent({
        siteId: site.id,
        occurredAt: from + (n - 100) * 15_000,
        userId: `user-${n % 40}`,
        sessionId: `${n % 7}`,
      }),
    )
    const within = events.filter(({ occurredAt }) => occurredAt >= from && occurredAt < from + 24 * HOUR_MS)
    const exported = await Promise.all(
      stores.map(async (store) => {
        await store.saveSite(site)
        await store.insertBatch(sampleBatch(...events))
        const folder = join(temporaryFolder(), 'exports')
        const parts = {
          store,
          destination: createFolderDestination(folder),
          freshness: () => ({ completeTo: new Date().toISOString(), waiting: 0 }),
          now: () => from + 48 * HOUR_MS,
        }
        const { signal } = new AbortController()
        await exportDay(parts, { site, day, when: 'needed', signal })
        await wholeDay(folder, day)
        const path = join(folder, 'site=default', `day=${day}`)
        const lines = gunzipSync(await readFile(join(path, 'events.ndjson.gz')))
          .toString()
          .trim()
          .split('\n')
          .sort()
        return { lines, figures: await readFile(join(path, 'figures.json'), 'utf8') }
      }),
    )
    expect(exported[0]?.lines).toHaveLength(within.length)
    expect(exported[1]).toEqual(exported[0])
    for (const store of stores) await store.close()
  })
})

describeWith(s3Program, 'the export to S3', () => {
  let s3: S3Server
  beforeAll(async () => {
    s3 = await startS3()
  })

  it('is the same as to a folder, by a server and by hand', async () => {
    const dataDir = await shop([500, 400])
    const bucket = await s3.newBucket()
    const last = lastClosed()
    const env = { ...s3.env, EXPORT_URL: `s3://${bucket}/a`, SITE_TIME_ZONE: zone }
    const server = await startServer({ dataDir, args: ['--no-demo'], env })
    await eventually(async () => expect((await jobState(dataDir))?.doneThrough).toBe(last))
    expect(await server.stop()).toBe(0)
    const folder = join(temporaryFolder(), 'exports')
    await cli(['--day', last, '--data-dir', dataDir, '--to', folder])
    Object.assign(process.env, s3.env)
    const place = await openDestination(`s3://${bucket}/a`, {
      endpoint: s3.endpoint,
      region: 'us-east-1',
      pathStyle: true,
    })
    const manifest = JSON.parse((await readText(place, `site=default/day=${last}/manifest.json`))!) as Manifest
    expect(manifest.files).toEqual((await wholeDay(folder, last))?.files)
    expect((await cli(['--day', last, '--data-dir', dataDir], env)).stdout).toContain('up to date')
    place.close()
  })
})
