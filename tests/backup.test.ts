import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { MongoClient } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { processFacts } from '../server/ingest/wal/owner.ts'
import { compareAnswers } from '../server/store/compare-answers.ts'
import { openStore } from '../server/store/open.ts'
import { Oracle } from '../server/store/oracle.ts'
import { randomShop } from '../server/store/random-shop.ts'
import { sampleBatch, sampleEvent, samplePurchase, sampleSite } from '../server/store/sample-events.ts'
import { Database } from '../server/store/sqlite/database.ts'
import { migrate } from '../server/store/sqlite/migrate.ts'
import { sqliteSteps } from '../server/store/sqlite/migrations/steps.ts'
import { type EventBatch, eventSeq, type Store } from '../server/store/store.ts'
import { createConflicts } from '../server/writer/conflicts.ts'
import { createDeadLetters } from '../server/writer/dead-letters.ts'
import { backUp, expectSound, type Place, restore, settingsOf } from './backups.ts'
import { type MongoServer, startMongo } from './mongo/mongo-server.ts'
import { mongo } from './mongo/need.ts'
import { describeWith } from './needs.ts'
import { type S3Server, s3Program, startS3 } from './s3-server.ts'
import { startServer, temporaryFolder } from './server.ts'
import { eventually, owner, signUpOwner } from './shop.ts'

const run = promisify(execFile)
/** A folder on another file system than the temporary ones, as Linux has it. */
const otherDisk = existsSync('/dev/shm') && statSync('/dev/shm').dev !== statSync(tmpdir()).dev ? '/dev/shm' : null
const cli = (script: string, args: string[], env: Record<string, string> = {}) =>
  run('node', ['--import', 'tsx', `scripts/${script}.ts`, ...args], { env: { ...process.env, ...env } })

const envOf = ({ mongoUrl }: Place): Record<string, string> => (mongoUrl === null ? {} : { STORE_URL: mongoUrl })

function describeBackups(name: string, newPlace: () => Place): void {
  const open = (place: Place) => openStore({ ...settingsOf(place), storeReaders: 1 })
  const newFile = () => join(temporaryFolder(), 'all.tar.gz')
  async function using<T>(place: Place, work: (store: Store) => Promise<T>): Promise<T> {
    const store = await open(place)
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }

  describe(`a backup of ${name}`, () => {
    it('brings back every figure, user list and journey, made while the store is open', async () => {
      const shops = fc.sample(randomShop(), { numRuns: 4, seed: 7 })
      const place = newPlace()
      const store = await open(place)
      const oracles: Oracle[] = []
      for (const [index, shop] of shops.entries()) {
        const site = { ...shop.site, id: `shop-${index}` }
        const oracle = new Oracle([site])
        oracles.push(oracle)
        await store.saveSite(site)
        for (const { id, events } of shop.batches) {
          const batch = { id: `${site.id} ${id}`, events: events.map((event) => ({ ...event, siteId: site.id })) }
          oracle.insertBatch(batch)
          await store.insertBatch(batch)
        }
      }
      const first = 'shop-0'
      await store.keys.create({
        siteId: first,
        kind: 'pk',
        name: 'k',
        eventsPerSecond: 5,
        origins: null,
        createdAt: 1,
        keyHash: 'h',
      })
      const file = newFile()
      const manifest = await backUp(place, file)
      await store.close()

      const other = newPlace()
      expect(await restore(file, other)).toEqual(manifest)
      await using(other, async (restored) => {
        for (const [index, oracle] of oracles.entries()) await compareAnswers(restored, oracle, `shop-${index}`)
        expect(await restored.keys.byHash('h')).toMatchObject({ siteId: first, eventsPerSecond: 5 })
        // It is a store like any other: it takes events, and knows those that it has.
        const batch = shops[0]!.batches[0]!
        const again = { id: 'again', events: batch.events.map((event) => ({ ...event, siteId: 'shop-0' })) }
        const fresh = sampleEvent({ siteId: 'shop-0', eventId: 'fresh' })
        oracles[0]!.insertBatch(again)
        oracles[0]!.insertBatch({ id: 'fresh', events: [fresh] })
        expect((await restored.insertBatch(again)).stored).toBe(0)
        expect((await restored.insertBatch({ id: 'fresh', events: [fresh] })).stored).toBe(1)
        await compareAnswers(restored, oracles[0]!, 'shop-0')
      })
    })

    it('is of one state, whatever is written meanwhile', async () => {
      const place = newPlace()
      const store = await open(place)
      const site = await store.saveSite(sampleSite())
      // Writers go on for as long as a backup is made, and rest while it is looked at.
      let isWanted = true
      let isOver = false
      const stored: string[] = []
      let orders = 0
      const newBatch = (): EventBatch =>
        sampleBatch(
          ...Array.from({ length: 20 }, (_, n) => {
            const event = { siteId: site.id, userId: `user-${Math.floor(Math.random() * 15)}`, sessionId: `s-${n % 3}` }
            orders += 1
            return n % 4 === 0 ? samplePurchase(event, { orderId: `order-${orders % 90}` }) : sampleEvent(event)
          }),
        )
      const write = async () => {
        while (!isOver) {
          if (isWanted) {
            const batch = newBatch()
            await store.insertBatch(batch)
            stored.push(...batch.events.map(({ eventId }) => eventId))
          }
          await sleep(10)
        }
      }
      const writing = [write(), write(), write()]
      const compareOne = async () => {
        const before = stored.length
        isWanted = true
        await eventually(async () => expect(stored.length).toBeGreaterThan(before + 200))
        const promised = [...stored]
        const file = newFile()
        await backUp(place, file)
        isWanted = false
        const other = newPlace()
        await restore(file, other)
        await using(other, async (restored) => {
          const ids = new Set((await expectSound(restored, site.id)).map(({ eventId }) => eventId))
          expect(promised.filter((id) => !ids.has(id))).toEqual([])
        })
      }
      try {
        for (let round = 0; round < 3; round++) await compareOne()
      } finally {
        isOver = true
        await Promise.all(writing)
        await store.close()
      }
    })

    it('of a server has what waits in the log, dead letters and the secret, and the server runs on', async () => {
      const place = newPlace()
      const env = envOf(place)
      // Nothing is stored for a minute, so that the log has it all.
      const slow = { ...env, FLUSH_INTERVAL_MS: '60000', FLUSH_EVENTS: '10000', WAL_SEGMENT_BYTES: '8388608' }
      const server = await startServer({ dataDir: place.dataDir, args: ['--no-demo'], env: slow })
      const cookie = await signUpOwner(server.url)
      const at = Date.now()
      const letter = sampleEvent({ siteId: 'default', occurredAt: at, seq: eventSeq(at, 0) })
      const dead = join(place.dataDir, 'dead-letters')
      await createDeadLetters({ dir: dead }).add([{ at, reason: 'test', event: letter }])
      // As somebody left it who looked at letters by hand.
      const [name] = await readdir(dead)
      await copyFile(join(dead, name!), join(dead, 'a copy (2) – für später.json'))
      await copyFile(join(dead, name!), join(dead, `${'long-'.repeat(40)}.json`))
      await mkdir(join(dead, 'a folder.json'))
      await createConflicts({ dir: join(place.dataDir, 'conflicts') }).add([letter], at)
      const ids: string[] = []
      const post = async () => {
        const events = Array.from({ length: 20 }, () => ({
          eventId: crypto.randomUUID(),
          userId: 'u',
          sessionId: 's',
          type: 'page_view',
          payload: { url: '/', text: 'x'.repeat(500) },
        }))
        const { status } = await fetch(`${server.url}/events`, { method: 'POST', body: JSON.stringify(events) })
        if (status === 202) ids.push(...events.map(({ eventId }) => eventId))
      }
      for (let n = 0; n < 30; n++) await post()
      const promised = [...ids]
      let stop = false
      // Less and less often, so that a backup that takes long is none of ever more events.
      const posting = (async () => {
        for (let pauseMs = 20; !stop; pauseMs *= 1.05) {
          await post()
          await sleep(pauseMs)
        }
      })()
      const folder = temporaryFolder()
      const { stdout } = await cli('backup', ['--to', folder, '--data-dir', place.dataDir], env)
      stop = true
      await posting
      expect(stdout).toContain(folder)
      expect(await server.stop()).toBe(0)

      const file = join(folder, (await readdir(folder))[0]!)
      const other = newPlace()
      const into = other.mongoUrl ?? other.dataDir
      const restored = await cli('restore', ['--from', file, '--into', into, '--data-dir', other.dataDir])
      expect(restored.stdout).toContain('events as of')
      const next = await startServer({ dataDir: other.dataDir, args: ['--no-demo'], env: envOf(other) })
      const session = await fetch(`${next.url}/api/auth/get-session`, { headers: { cookie } })
      expect(await session.json()).toMatchObject({ user: { email: owner.email } })
      await eventually(async () => {
        const health = (await (await fetch(`${next.url}/health`)).json()) as {
          bufferSize: number
          events: { lost: number }
        }
        expect(health).toMatchObject({ bufferSize: 0, events: { lost: 0, imbalance: 0 } })
      })
      expect(await next.stop()).toBe(0)
      expect(await createConflicts({ dir: join(other.dataDir, 'conflicts') }).list(10)).toEqual([{ at, event: letter }])
      const left = join(other.dataDir, 'dead-letters')
      const names = await readdir(left)
      expect(names).toHaveLength(3)
      expect(names).toEqual(expect.arrayContaining([name, 'a copy (2) – für später.json']))
      for (const each of names) expect(await readFile(join(left, each))).toEqual(await readFile(join(dead, name!)))
      await using(other, async (store) => {
        const there = new Set((await expectSound(store, 'default')).map(({ eventId }) => eventId))
        expect(promised.filter((id) => !there.has(id))).toEqual([])
        expect((await store.jobs.list()).map((job) => job.name)).toContain('backup')
      })
      await using(place, async (store) =>
        expect((await store.jobs.list()).find((job) => job.name === 'backup')).toMatchObject({
          succeeded: 1,
          failed: 0,
        }),
      )
    })

    it('of a server that was started many times goes on as one that was started once', async () => {
      const place = newPlace()
      const ids: string[] = []
      const post = async (url: string, count: number) => {
        const events = Array.from({ length: count }, () => {
          const eventId = crypto.randomUUID()
          return { eventId, userId: 'u', sessionId: 's', type: 'page_view', payload: { url: '/' } }
        })
        const { status } = await fetch(`${url}/events`, { method: 'POST', body: JSON.stringify(events) })
        expect(status).toBe(202)
        ids.push(...events.map(({ eventId }) => eventId))
      }
      // The last of them stores nothing, so that the backup has a log.
      const hoarding = { FLUSH_INTERVAL_MS: '60000', FLUSH_EVENTS: '10000', SHUTDOWN_TIMEOUT_MS: '100' }
      const first = await startServer({ dataDir: place.dataDir, args: ['--no-demo'], env: envOf(place) })
      for (let start = 1; start < 3; start++) {
        await post(first.url, 50)
        await first.restart(start % 2 === 0 ? 'SIGKILL' : 'SIGTERM')
      }
      await first.stop()
      const last = await startServer({
        dataDir: place.dataDir,
        args: ['--no-demo'],
        env: { ...envOf(place), ...hoarding },
      })
      await post(last.url, 50)
      const file = newFile()
      await backUp(place, file)
      await last.stop('SIGKILL')

      const other = newPlace()
      await restore(file, other)
      const server = await startServer({ dataDir: other.dataDir, args: ['--no-demo'], env: envOf(other) })
      const isStored = () =>
        eventually(async () => {
          const { events } = (await (await fetch(`${server.url}/health`)).json()) as { events: object }
          expect(events).toMatchObject({ waiting: 0, lost: 0, imbalance: 0 })
        })
      await isStored()
      await server.restart()
      await post(server.url, 10)
      await isStored()
      await server.stop()
      await using(other, async (store) => {
        const there = (await expectSound(store, 'default')).map(({ eventId }) => eventId)
        expect(there.sort()).toEqual(ids.sort())
      })
    })

    it('is refused into a place that is not empty, unless it is forced to', async () => {
      const place = newPlace()
      const site = sampleSite()
      await using(place, async (store) => {
        await store.saveSite(site)
        await store.insertBatch(sampleBatch(sampleEvent({ siteId: site.id })))
      })
      const file = newFile()
      await backUp(place, file)
      await using(place, (store) => store.insertBatch(sampleBatch(sampleEvent({ siteId: site.id }))))
      await expect(restore(file, place)).rejects.toMatchObject({ code: 'conflict', message: /--force/ })
      await using(place, async (store) => expect((await store.totals(site.id)).events).toBe(2))
      await restore(file, place, { force: true })
      await using(place, async (store) => expect((await store.totals(site.id)).events).toBe(1))
    })
  })
}

describeBackups('SQLite', () => ({ dataDir: temporaryFolder(), mongoUrl: null }))

describeWith(mongo, 'with MongoDB', () => {
  let server: MongoServer
  beforeAll(async () => {
    server = await startMongo()
  })
  describeBackups('MongoDB', () => ({ dataDir: temporaryFolder(), mongoUrl: server.newDatabase() }))

  it('a backup that was killed while it held the figures holds them for seconds', async () => {
    const place = { dataDir: temporaryFolder(), mongoUrl: server.newDatabase() }
    const store = await openStore({ ...settingsOf(place), storeReaders: 1 })
    const site = await store.saveSite(sampleSite())
    await store.insertBatch(sampleBatch(sampleEvent({ siteId: site.id })))
    expect((await store.totals(site.id)).events).toBe(1)
    const client = new MongoClient(place.mongoUrl)
    // As it leaves the head behind.
    const dead = { phase: 'plan', batches: [], plan: '', parts: 0, owner: 'backup-dead', beat: 7 }
    const head = client.db().collection<{ _id: string; phase: string }>('fold')
    expect((await head.updateOne({ _id: 'head', phase: 'idle' }, { $set: dead })).matchedCount).toBe(1)
    await store.insertBatch(sampleBatch(sampleEvent({ siteId: site.id })))
    await eventually(async () => expect((await store.totals(site.id)).events).toBe(2))
    expect((await head.findOne({ _id: 'head' }))?.phase).toBe('idle')
    await client.close()
    await store.close()
  })

  it('a backup goes back into the engine it is of', async () => {
    const place = { dataDir: temporaryFolder(), mongoUrl: server.newDatabase() }
    const store = await openStore({ ...settingsOf(place), storeReaders: 1 })
    await store.saveSite(sampleSite())
    const file = join(temporaryFolder(), 'all.tar.gz')
    await backUp(place, file)
    await store.close()
    const other = { dataDir: temporaryFolder(), mongoUrl: null }
    await expect(restore(file, other)).rejects.toMatchObject({ code: 'conflict', message: /of MongoDB/ })
    expect(await readdir(other.dataDir)).toEqual([])
  })
})

describe('the file of a backup', () => {
  const place = { dataDir: temporaryFolder(), mongoUrl: null }
  const folder = temporaryFolder()
  const file = join(folder, 'all.tar.gz')
  const target = () => ({ dataDir: temporaryFolder(), mongoUrl: null })

  beforeAll(async () => {
    const store = await openStore({ ...settingsOf(place), storeReaders: 1 })
    const site = await store.saveSite(sampleSite())
    await store.insertBatch(sampleBatch(...Array.from({ length: 300 }, () => sampleEvent({ siteId: site.id }))))
    await writeFile(join(place.dataDir, 'session-secret'), 'secret')
    await backUp(place, file)
    await store.close()
  })

  it('is one that tar can read, and nothing is left beside it', async () => {
    const { stdout } = await run('tar', ['tzf', file])
    expect(stdout.trim().split('\n')).toEqual(['session-secret', 'store/veritas.db', 'manifest.json'])
    expect(await readdir(folder)).toEqual(['all.tar.gz'])
    expect((await readdir(place.dataDir)).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('is refused when it is cut or any byte of it is another, and nothing is touched', async () => {
    const whole = await readFile(file)
    const raw = gunzipSync(whole)
    const places = [0, 1, 2, 20, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99].map((at) =>
      at < 1 && at > 0 ? Math.floor(whole.length * at) : at,
    )
    const broken: [string, Buffer][] = places.flatMap((at) => [
      [`cut at ${at}`, whole.subarray(0, at)],
      [`changed at ${at}`, changed(whole, at)],
    ])
    // Within the compression's own checksum, too.
    for (const share of [0.001, 0.2, 0.4, 0.6, 0.8, 0.97]) {
      const at = Math.floor(raw.length * share)
      broken.push([`unpacked, changed at ${at}`, gzipSync(changed(raw, at))])
      broken.push([`unpacked, cut at ${at}`, gzipSync(raw.subarray(0, at))])
    }
    for (const [what, bytes] of broken) {
      // In compressed zeros another bit may say the same zeros.
      if (holds(bytes, raw)) continue
      const path = join(temporaryFolder(), 'broken.tar.gz')
      await writeFile(path, bytes)
      const into = target()
      const outcome = await restore(path, into).catch((error) => error)
      expect(outcome, what).toMatchObject({ name: 'AppError', message: expect.stringContaining('Nothing was changed') })
      expect(await readdir(into.dataDir), what).toEqual([])
    }
  })

  function holds(bytes: Buffer, raw: Buffer): boolean {
    try {
      return gunzipSync(bytes).equals(raw)
    } catch {
      return false
    }
  }

  function changed(bytes: Buffer, at: number): Buffer {
    const copy = Buffer.from(bytes)
    copy[at]! ^= 0x01
    return copy
  }

  it.each([
    ['format', '"veritas-backup/1"', '"veritas-backup/2"', 'veritas-backup/2'],
    ['kind', '"veritas-backup/1"', '"something-else/1"', 'no manifest'],
  ])('of another %s is refused by its name', async (_, from, to, message) => {
    const raw = gunzipSync(await readFile(file)).toString('latin1')
    const path = join(temporaryFolder(), 'newer.tar.gz')
    await writeFile(path, gzipSync(Buffer.from(raw.replace(from, to), 'latin1')))
    const into = target()
    await expect(restore(path, into)).rejects.toThrow(message)
    expect(await readdir(into.dataDir)).toEqual([])
  })

  it('of a newer store is refused by its format', async () => {
    const newer = { dataDir: temporaryFolder(), mongoUrl: null }
    await restore(file, newer)
    const { DatabaseSync } = await import('@photostructure/sqlite')
    const db = new DatabaseSync(settingsOf(newer).storePath)
    db.exec('PRAGMA user_version = 999')
    db.close()
    const path = join(temporaryFolder(), 'newer.tar.gz')
    await expect(backUp(newer, path)).rejects.toMatchObject({ code: 'conflict', message: /999/ })
    expect(await readdir(join(path, '..'))).toEqual([])
  })

  it('of an older store is restored, and brought up to date by the next start', async () => {
    const older = { dataDir: temporaryFolder(), mongoUrl: null }
    const db = await Database.open(settingsOf(older).storePath)
    migrate(db, { steps: sqliteSteps.slice(0, 1) })
    db.close()
    const path = join(temporaryFolder(), 'older.tar.gz')
    expect(await backUp(older, path)).toMatchObject({ storeFormat: 1, counts: { sites: 0 } })
    const into = target()
    expect(await restore(path, into)).toMatchObject({ storeFormat: 1 })
    const store = await openStore({ ...settingsOf(into), storeReaders: 1 })
    expect(await store.keys.list('default')).toEqual([])
    await store.close()
  })

  it('is not made where the copy of the store would fill the disk', async () => {
    const large = { dataDir: temporaryFolder(), mongoUrl: null }
    const { storePath } = settingsOf(large)
    await copyFile(settingsOf(place).storePath, storePath)
    // Takes no room itself.
    await truncate(storePath, 8 * 2 ** 40)
    const path = join(temporaryFolder(), 'large.tar.gz')
    await expect(backUp(large, path)).rejects.toMatchObject({ code: 'unavailable', message: /up to 838\d+ MiB/ })
    expect(await readdir(join(path, '..'))).toEqual([])
    expect(await readdir(large.dataDir)).toEqual(['veritas.db'])
  })

  it('removes copies that killed backups left, and none that is being made', async () => {
    const copies = ['.backup-1-a', '.backup-2-b', '.backup-3-c']
    const owners = [null, { ...processFacts.self(), startedAt: '1' }, processFacts.self()]
    for (const [index, name] of copies.entries()) {
      await mkdir(join(place.dataDir, name))
      await writeFile(join(place.dataDir, name, 'veritas.db'), 'half')
      if (owners[index]) await writeFile(join(place.dataDir, name, 'owner.json'), JSON.stringify(owners[index]))
    }
    await backUp(place, join(temporaryFolder(), 'next.tar.gz'))
    expect((await readdir(place.dataDir)).filter((name) => name.startsWith('.'))).toEqual(['.backup-3-c'])
    await rm(join(place.dataDir, '.backup-3-c'), { recursive: true })
  })

  it('on a full disk is not restored, which is told in one line, and leaves nothing', async () => {
    const dataDir = join(temporaryFolder(), 'data')
    const failure = await run('sh', [
      '-c',
      'ulimit -f 10; exec node --import tsx scripts/restore.ts "$@"',
      'sh',
      ...['--from', file, '--into', dataDir],
    ]).catch((error) => error)
    expect(failure).toMatchObject({ code: 1, stderr: expect.stringContaining(`into ${dataDir} (EFBIG)`) })
    expect(failure.stderr.trim()).not.toContain('\n')
    expect(await readdir(dataDir)).toEqual([])
  })

  it.skipIf(!existsSync('/proc/self'))('that is restored only in part lets nothing start on that part', async () => {
    const dataDir = temporaryFolder()
    await mkdir(join(dataDir, '.restore-of-a-killed-one'))
    // Everything but the store has its place by then.
    const cut = restore(file, { dataDir, mongoUrl: null }, { storePath: '/proc/veritas/veritas.db' })
    await expect(cut).rejects.toMatchObject({ code: 'unavailable' })
    expect((await readdir(dataDir)).sort()).toEqual(['restoring', 'session-secret'])
    const started = await startServer({ dataDir, args: ['--no-demo'] }).catch((error) => error)
    expect(String(started)).toContain(`A restore into ${dataDir} was cut short`)
    await writeFile(join(dataDir, 'veritas.db'), '')
    await expect(cli('keys', ['list', '--data-dir', dataDir])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('was cut short'),
    })
    await expect(restore(file, { dataDir, mongoUrl: null })).rejects.toMatchObject({ code: 'conflict' })
    await restore(file, { dataDir, mongoUrl: null }, { force: true })
    const server = await startServer({ dataDir, args: ['--no-demo'] })
    expect(await server.stop()).toBe(0)
  })

  it.skipIf(!otherDisk)('reaches another disk under its own name only as a whole', async () => {
    const dataDir = temporaryFolder()
    const folder = await mkdtemp(join(otherDisk!, 'veritas-'))
    const storePath = join(folder, 'veritas.db')
    const large = { dataDir: temporaryFolder(), mongoUrl: null }
    await restore(file, large)
    const db = await Database.open(settingsOf(large).storePath)
    db.exec('CREATE TABLE filler (bytes BLOB)')
    for (let n = 0; n < 40; n++) db.run('INSERT INTO filler VALUES (zeroblob(1000000))')
    db.close()
    const largeFile = join(temporaryFolder(), 'large.tar.gz')
    await backUp(large, largeFile)
    const sizes = new Set<number>()
    let isOver = false
    const watching = (async () => {
      for (; !isOver; await sleep(0))
        await stat(storePath).then(
          ({ size }) => sizes.add(size),
          () => {},
        )
    })()
    await restore(largeFile, { dataDir, mongoUrl: null }, { storePath })
    isOver = true
    await watching
    sizes.add((await stat(storePath)).size)
    expect(sizes.size).toBe(1)
    expect(await readdir(folder)).toEqual(['veritas.db'])
    await rm(folder, { recursive: true })
  })

  it('is not restored under a server that runs', async () => {
    const server = await startServer({ args: ['--no-demo'] })
    const into = { dataDir: server.dataDir, mongoUrl: null }
    await expect(restore(file, into, { force: true })).rejects.toMatchObject({ code: 'conflict', message: /stop it/ })
    await server.stop()
    await restore(file, into, { force: true })
    const aside = (await readdir(server.dataDir)).find((name) => name.startsWith('before-restore-'))
    expect(await readdir(join(server.dataDir, aside!))).toEqual(
      expect.arrayContaining(['session-secret', 'veritas.db', 'wal']),
    )
    expect(await readFile(join(server.dataDir, 'session-secret'), 'utf8')).toBe('secret')
  })

  it('is not restored under a server of another container, where its pid means nothing', async () => {
    const server = await startServer({ args: ['--no-demo'] })
    await server.stop()
    const [slot] = await readdir(join(server.dataDir, 'wal'))
    const lock = join(server.dataDir, 'wal', slot!, 'lock-999')
    await writeFile(lock, JSON.stringify({ ...processFacts.self(), pidSpace: 'another' }))
    let isOver = false
    const beating = (async () => {
      for (; !isOver; await sleep(50)) await utimes(lock, new Date(), new Date())
    })()
    const into = { dataDir: server.dataDir, mongoUrl: null }
    await expect(restore(file, into, { force: true })).rejects.toMatchObject({ code: 'conflict', message: /stop it/ })
    isOver = true
    await beating
    expect(await readdir(join(server.dataDir, 'wal', slot!))).toContain('lock-999')
  })

  it('that cannot be written is a failure that everybody can see', async () => {
    await expect(cli('backup', ['--to', 'package.json/x', '--data-dir', place.dataDir])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('package.json'),
    })
    const store = await openStore({ ...settingsOf(place), storeReaders: 1 })
    const state = (await store.jobs.list()).find((job) => job.name === 'backup')
    expect(state).toMatchObject({
      owner: null,
      succeeded: 0,
      failed: 1,
      lastError: expect.stringContaining('package.json'),
    })
    await store.close()
  })

  it.each([
    ['backup', [], 2, '--to'],
    ['backup', ['--to', 'x', '--data-dir', '/nowhere/at/all'], 1, 'no store'],
    ['restore', ['--from', 'x'], 2, '--into'],
    ['restore', ['--into', 'x'], 2, '--from'],
    ['restore', ['--from', 'nothing-here', '--into', 'y'], 1, 'nothing-here'],
    ['restore', ['--from', 'x', '--into', 'ftp://y'], 2, 'ftp://y'],
  ])('npm run %s %j is told what is wrong in one line', async (script, args, code, text) => {
    const failure = await cli(script, args).catch((error) => error)
    expect(failure).toMatchObject({ code, stderr: expect.stringContaining(text) })
    expect(failure.stderr.trim()).not.toContain('\n')
  })
})

describeWith(s3Program, 'backups in S3', () => {
  let s3: S3Server
  beforeAll(async () => {
    s3 = await startS3()
  })

  it('are written and restored', async () => {
    const place = { dataDir: temporaryFolder(), mongoUrl: null }
    const site = sampleSite()
    const store = await openStore({ ...settingsOf(place), storeReaders: 1 })
    await store.saveSite(site)
    await store.insertBatch(sampleBatch(sampleEvent({ siteId: site.id })))
    await store.close()
    const to = `s3://${await s3.newBucket()}/nightly`
    const { stdout } = await cli('backup', ['--to', to, '--data-dir', place.dataDir], s3.env)
    const url = /s3:\S+\.tar\.gz/.exec(stdout)![0]
    expect(url).toMatch(/\/nightly\/veritas-\d{4}-\d\d-\d\dT\d{6}Z\.tar\.gz$/)
    const dataDir = temporaryFolder()
    await cli('restore', ['--from', url, '--into', dataDir], s3.env)
    const restored = await openStore({ ...settingsOf({ dataDir, mongoUrl: null }), storeReaders: 1 })
    expect((await expectSound(restored, site.id)).length).toBe(1)
    await restored.close()
  })
})
