import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openDiskWal } from './disk.ts'
import { createMemoryWal } from './memory.ts'
import { withRest } from './with-rest.ts'

let dir = ''
afterEach(() => rmSync(dir, { recursive: true }))

const openDisk = () => openDiskWal({ dir, ackLevel: 'fsync', segmentBytes: 65_536, switchBytes: 1e9, report: () => {} })
const frame = (name: string, receivedAt: number) => ({ receivedAt, events: 1, payload: Buffer.from(name) })

describe('a log in memory with the rest of one on disk', () => {
  it('hands out what is in both, in turn, and counts it', async () => {
    dir = mkdtempSync(join(tmpdir(), 'veritas-rest-'))
    const before = await openDisk()
    for (let i = 0; i < 3; i++) await before.append(frame(`old ${i}`, 100 + i))
    await before.close()

    const wal = withRest(createMemoryWal(), await openDisk())
    let asked = 0
    wal.onAppend(() => asked++)
    expect(wal.ackLevel).toBe('memory')
    expect(wal.recovered()).toBe(3)
    expect(wal.waiting()).toMatchObject({ events: 3, oldestAt: 100 })
    for (let i = 0; i < 3; i++) await wal.append(frame(`new ${i}`, 200 + i))
    expect(asked).toBe(3)
    expect(wal.pending()).toMatchObject({ events: 6, oldestAt: 100 })
    // What is on the disk takes no part in the mark of events that are only in memory.
    expect(wal.uncommitted()).toBe(3)

    const taken: string[] = []
    for (let left = 6; left > 0; left--) {
      const batch = (await wal.next({ events: 1, bytes: 1e6 }))!
      taken.push(...batch.frames.map(({ payload }) => payload.toString()))
      expect(wal.waiting().events).toBe(left)
      await wal.ack(batch)
    }
    expect(taken).toEqual(['new 0', 'old 0', 'new 1', 'old 1', 'new 2', 'old 2'])
    expect(await wal.next({ events: 1, bytes: 1e6 })).toBeNull()
    expect(wal.waiting()).toMatchObject({ events: 0, oldestAt: null })
    await wal.close()

    const after = await openDisk()
    expect(after.recovered()).toBe(0)
    await after.close()
  })
})
