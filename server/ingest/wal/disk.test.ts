import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type DiskWalOptions, openDiskWal } from './disk.ts'
import { diskFiles, type LogFiles } from './files.ts'
import { holdSyncs } from './held-syncs.ts'
import type { Wal } from './wal.ts'

/** What is waited for comes at once, or late on a busy machine. */
const PATIENCE_MS = 60_000

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'veritas-wal-'))
  cleanUp.push(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function open(dir: string, options: Partial<DiskWalOptions> = {}): Promise<Wal> {
  return openDiskWal({
    dir,
    ackLevel: 'fsync',
    segmentBytes: 64 * 1024,
    switchBytes: 1e9,
    report: () => {},
    ...options,
  })
}

const frame = (name: string, receivedAt = 1) => ({ receivedAt, events: 1, payload: Buffer.from(name) })
const BOUNDS = { events: 3, bytes: 1e6 }

async function takeAll(wal: Wal): Promise<string[]> {
  const names: string[] = []
  for (let batch = await wal.next(BOUNDS); batch; batch = await wal.next(BOUNDS)) {
    names.push(...batch.frames.map((f) => f.payload.toString()))
    await wal.ack(batch)
  }
  return names
}

describe('log on disk', () => {
  it('gives after a clean stop and a start what was not stored before', async () => {
    const dir = tempDir()
    const first = await open(dir)
    for (let i = 0; i < 7; i++) await first.append(frame(`e${i}`, i))
    const taken = (await first.next(BOUNDS))!
    await first.ack(taken)
    await first.close()
    const second = await open(dir)
    expect(second.waiting()).toMatchObject({ events: 4, oldestAt: 3 })
    expect(await takeAll(second)).toEqual(['e3', 'e4', 'e5', 'e6'])
    await second.close()
  })

  it('does not let new events wait behind a backlog', async () => {
    const dir = tempDir()
    const first = await open(dir)
    for (let i = 0; i < 30; i++) await first.append(frame(`old${i}`))
    await first.close()
    const second = await open(dir)
    await second.append(frame('new'))
    const names: string[] = []
    for (let i = 0; i < 2; i++) names.push(...(await second.next(BOUNDS))!.frames.map((f) => f.payload.toString()))
    expect(names).toContain('new')
    expect(names).toContain('old0')
    await second.close()
  })

  it('leaves a log that has grown to drain and goes on in a fresh one', async () => {
    const wal = await open(tempDir(), { switchBytes: 2000 })
    const expected = Array.from({ length: 200 }, (_, i) => `event-${i}`)
    for (const name of expected) await wal.append(frame(name))
    await vi.waitFor(async () => {
      await wal.append(frame('late'))
      const batches = [await wal.next({ events: 1, bytes: 1 }), await wal.next({ events: 1, bytes: 1 })]
      expect(new Set(batches.map((batch) => batch?.id.split('-').slice(0, 5).join())).size).toBe(2)
      for (const batch of batches) if (batch) await wal.ack(batch)
    }, PATIENCE_MS)
    await takeAll(wal)
    expect(wal.waiting()).toEqual({ events: 0, bytes: 0, oldestAt: null })
    await wal.close()
  })

  it('has a log for every process of an outage that fills a hundred of them', async () => {
    const dir = tempDir()
    const problems: unknown[] = []
    const wal = await open(dir, { switchBytes: 1, report: (problem) => problems.push(problem) })
    let appended = 0
    const folders = () => readdirSync(dir).length
    while (folders() < 100 && problems.length === 0) {
      await wal.append(frame(`e${appended++}`))
      await sleep(1)
    }
    expect(problems).toEqual([])
    await wal.close()
    const next = await open(dir)
    expect(next.waiting().events).toBe(appended)
    expect(new Set(await takeAll(next)).size).toBe(appended)
    await next.close()
  })

  it('takes over the other logs of dead processes though one of them cannot be opened, and tells', async () => {
    const dir = tempDir()
    const problems: object[] = []
    let areDead = false
    const facts = (pid: number) => ({
      self: () => ({ pid, startedAt: '1', bootId: 'boot', pidSpace: 'host' }),
      startOf: (other: number) => (areDead && other !== pid ? undefined : '1'),
    })
    const files: LogFiles = {
      ...diskFiles,
      async open(path, mode) {
        if (path === join(dir, '1', 'checkpoint') && mode === 'edit')
          throw Object.assign(new Error(), { code: 'EACCES' })
        return diskFiles.open(path, mode)
      },
    }
    const report = (problem: object) => void problems.push(problem)
    const living = await open(dir, { files, owners: { facts: facts(1) }, adoptEveryMs: 500, report })
    for (const pid of [2, 3]) {
      const wal = await open(dir, { owners: { facts: facts(pid) }, adoptEveryMs: 2 ** 31 - 1 })
      await wal.append(frame(`of ${pid}`))
    }
    areDead = true
    await vi.waitFor(async () => expect(await takeAll(living)).toEqual(['of 3']), PATIENCE_MS)
    // Where the others died in the middle of a look, the first is met by the next one.
    await vi.waitFor(
      () => expect(problems).toContainEqual({ kind: 'failed', error: expect.objectContaining({ code: 'EACCES' }) }),
      PATIENCE_MS,
    )
    await living.close()
  })

  it('goes on in the log it has while no fresh one can be made, and leaves no others taken', async () => {
    const dir = tempDir()
    const problems: unknown[] = []
    let failing = false
    const files: LogFiles = {
      ...diskFiles,
      async open(path, mode) {
        if (failing && mode === 'create' && path.endsWith('checkpoint'))
          throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
        return diskFiles.open(path, mode)
      },
    }
    const wal = await open(dir, { switchBytes: 1, files, report: (problem) => problems.push(problem) })
    failing = true
    const began = performance.now()
    for (let i = 0; i < 20; i++) {
      await wal.append(frame(`e${i}`))
      await sleep(10)
    }
    // Not one for each append: one a second.
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.length).toBeLessThanOrEqual(1 + Math.floor((performance.now() - began) / 1000))
    expect(readdirSync(dir)).toHaveLength(2)
    failing = false
    await vi.waitFor(async () => {
      await wal.append(frame('late'))
      expect(readdirSync(join(dir, '1')).some((name) => name.endsWith('.seg'))).toBe(true)
    }, PATIENCE_MS)
    await wal.close()
  })

  it('lets no log go while a commit to it is under way', async () => {
    const dir = tempDir()
    const syncs = holdSyncs(diskFiles, (path) => path.includes(join(dir, '0')) && path.endsWith('.seg'))
    const wal = await open(dir, { switchBytes: 1, files: syncs.files, adoptEveryMs: 10 })
    await wal.append(frame('first'))
    syncs.hold()
    const late = wal.append(frame('late'))
    await vi.waitFor(() => expect(syncs.waiting).toHaveLength(1), PATIENCE_MS)
    // Appends go to another log by now, and all that is committed of the first is stored.
    await vi.waitFor(() => expect(readdirSync(join(dir, '1'))).toContain('checkpoint'), PATIENCE_MS)
    expect(await takeAll(wal)).toEqual(['first'])
    await sleep(100)
    syncs.release()
    await late
    expect(wal.waiting().events).toBe(1)
    await sleep(100)
    expect(wal.recovered()).toBe(0)
    expect(await takeAll(wal)).toEqual(['late'])
    await wal.close()
  })

  it('gives two processes on one folder logs of their own, and the rest of one that died to the other', async () => {
    const dir = tempDir()
    const one = await open(dir)
    const two = await open(dir, { adoptEveryMs: 20 })
    await one.append(frame('from one'))
    await two.append(frame('from two'))
    expect(await takeAll(two)).toEqual(['from two'])
    await one.close()
    await vi.waitFor(() => expect(two.waiting().events).toBe(1), PATIENCE_MS)
    expect(await takeAll(two)).toEqual(['from one'])
    await two.close()
  })

  it('with ack level write answers before the sync and still has everything after a kill', async () => {
    const dir = tempDir()
    const wal = await open(dir, { ackLevel: 'write' })
    await Promise.all(Array.from({ length: 50 }, (_, i) => wal.append(frame(`w${i}`))))
    expect(await takeAll(wal)).toHaveLength(50)
    await wal.close()
  })

  it('refuses appends once closed', async () => {
    const wal = await open(tempDir())
    await wal.close()
    await expect(wal.append(frame('late'))).rejects.toMatchObject({ code: 'unavailable' })
  })
})
