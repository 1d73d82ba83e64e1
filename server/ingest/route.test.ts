import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { AppError } from '../errors.ts'
import type { KeyStore } from '../store/store.ts'
import { createTelemetry } from '../telemetry/telemetry.ts'
import { createAdmission } from './admission.ts'
import { createBudget } from './budget.ts'
import { createKeys, type Keys } from './keys.ts'
import { createLargeBodies } from './large-bodies.ts'
import { createRefusals } from './refusals.ts'
import { createIngestRoute, type IngestParts } from './route.ts'
import { openDiskWal } from './wal/disk.ts'
import { holdSyncs } from './wal/held-syncs.ts'
import { createSimulatedDisk, type SimulatedDisk } from './wal/simulated-disk.ts'

const KB = 1024

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

/** The door with a log on this disk, and the rest as the server has it, unless told. */
async function open(files: SimulatedDisk, memoryBytes: number, parts: Partial<IngestParts> = {}) {
  const now = Date.now
  const telemetry = createTelemetry({ logLevel: 'silent' })
  const report = (problem: unknown) => expect.unreachable(JSON.stringify(problem))
  const wal = await openDiskWal({
    ...{ dir: '/wal', files, ackLevel: 'fsync', segmentBytes: 16 * KB * KB, switchBytes: 64 * KB * KB, report },
  })
  const limits = { bufferEvents: 10_000, memoryBytes, maxBytes: 1e9, maxAgeMs: 3_600_000 }
  const admission = await createAdmission({ wal, limits, now })
  const keys = createKeys({ store: {} as KeyStore, keyless: 'allow', defaultSiteId: 'default' })
  const bounds = { maxEvents: 2500, maxValues: 250_000, answerBytes: 512 * KB }
  const largeBodies = createLargeBodies({ threads: 1, bounds, onLost: report })
  const budget = createBudget(64 * KB * KB)
  const settings = {
    ...bounds,
    ...({ schemaMode: 'warn', keyless: 'allow' } as const),
    ...{ maxBodyBytes: 4 * KB * KB, maxBrowserBodyBytes: KB * KB, keyInBodyBytes: 8 * KB },
    ...{ sliceMs: 2, bodyTimeoutMs: 60_000, minBytesPerSecond: 1 },
  }
  const refusals = createRefusals({ perSecond: 300, maxWaiting: 300 })
  const ingest = createIngestRoute({
    ...{ wal, admission, telemetry, settings, budget, largeBodies, refusals, keys, now },
    ...parts,
  })
  const server = createServer((req, res) => void ingest(req, res))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    admission.close()
    await largeBodies.close()
    await wal.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    wal,
    budget,
    post: async (body: string, headers: Record<string, string> = {}) =>
      (await fetch(url, { method: 'POST', body, headers })).status,
  }
}

it('takes only so many bytes while a sync takes long, whoever waits for it, and goes on after it', async () => {
  const disk = holdSyncs(createSimulatedDisk(), (path) => path.endsWith('.seg'))
  const door = await open(disk.files, 64 * KB)
  cleanUp.push(() => disk.release())
  const event = { userId: 'u', sessionId: 's', type: 'page_view', payload: { url: '/' } }
  // Four of them have room; the log keeps a few bytes beside each.
  const body = JSON.stringify(event).padEnd(16_000)
  expect(await door.post(body)).toBe(202)

  disk.hold()
  const answers: number[] = []
  const posts = Array.from({ length: 20 }, async () => void answers.push(await door.post(body)))
  await expect.poll(() => answers.length + door.wal.uncommitted()).toBe(20)
  expect(answers).toEqual(Array(16).fill(429))
  expect(door.wal.uncommittedBytes()).toBeLessThanOrEqual(64 * KB + 4 * 500)
  // What waits counts among the bodies until it is answered, and what was refused no longer.
  await expect.poll(() => door.budget.heldBytes).toBe(4 * 16_000)

  disk.release()
  await Promise.all(posts)
  expect(answers.slice(16)).toEqual(Array(4).fill(202))
  expect(await door.post(body)).toBe(202)
  expect(door.wal.waiting().events).toBe(6)
  expect(door.wal.uncommittedBytes()).toBe(0)
  await expect.poll(() => door.budget.heldBytes).toBe(0)
})

it('lets refusals of strangers and browsers wait for their turn, without their bodies, and no others', async () => {
  const answer: (() => void)[] = []
  const refusals = { turn: () => new Promise<boolean>((resolve) => answer.push(() => resolve(true))), close() {} }
  const sender = { siteId: 'default', mayComeFrom: () => true, check() {}, spend() {} }
  const keys: Keys = {
    async findFirst([key]) {
      if (key !== 'sk' && key !== 'pk') throw new AppError('unauthenticated', 'No such key.')
      return { ...sender, kind: key }
    },
    find: (key) => keys.findFirst(key === null ? [] : [key]),
  }
  const door = await open(createSimulatedDisk(), KB * KB, { refusals, keys })
  const good = JSON.stringify({ userId: 'u', sessionId: 's', type: 'page_view', payload: { url: '/' } })
  const bad = JSON.stringify({ type: 'page_view' }).padEnd(16_000)
  const answers: number[] = []
  const waiting = ['pk', 'other'].map(async (key) => {
    answers.push(await door.post(bad, { 'x-write-key': key }))
  })
  await expect.poll(() => answer.length).toBe(2)
  expect(door.budget.heldBytes).toBe(0)
  expect(await door.post(bad, { 'x-write-key': 'sk' })).toBe(400)
  expect(await door.post(good, { 'x-write-key': 'sk' })).toBe(202)
  expect(await door.post(good, { 'x-write-key': 'pk' })).toBe(202)
  expect(answers).toEqual([])
  for (const go of answer) go()
  await Promise.all(waiting)
  expect(answers.sort()).toEqual([400, 401])
})
