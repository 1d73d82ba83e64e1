import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type DiskWalOptions, openDiskWal } from './disk.ts'
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
