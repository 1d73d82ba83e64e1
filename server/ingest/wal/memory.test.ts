import { describe, expect, it } from 'vitest'
import { createMemoryWal } from './memory.ts'

const frame = (receivedAt: number, events: number, bytes = 10) => ({ receivedAt, events, payload: Buffer.alloc(bytes) })
const bounds = { events: 10, bytes: 1000 }

describe('memory log', () => {
  it('hands frames out once, in their order and up to the bounds', async () => {
    const wal = createMemoryWal()
    for (const [at, events] of [
      [1, 4],
      [2, 6],
      [3, 1],
    ] as const)
      await wal.append(frame(at, events))
    expect((await wal.next(bounds))?.frames.map((f) => f.receivedAt)).toEqual([1, 2])
    expect((await wal.next(bounds))?.frames.map((f) => f.receivedAt)).toEqual([3])
    expect(await wal.next(bounds)).toBeNull()
  })

  it('hands out a frame that is larger than the bounds on its own', async () => {
    const wal = createMemoryWal()
    await wal.append(frame(1, 50, 5000))
    await wal.append(frame(2, 1))
    expect((await wal.next(bounds))?.events).toBe(50)
  })

  it('counts as waiting until acked, as pending until handed out', async () => {
    const wal = createMemoryWal()
    await wal.append(frame(5, 2))
    await wal.append(frame(6, 3))
    expect(wal.pending()).toEqual({ events: 5, bytes: 20, oldestAt: 5 })
    const batch = (await wal.next({ events: 2, bytes: 100 }))!
    expect(wal.pending()).toEqual({ events: 3, bytes: 10, oldestAt: 6 })
    expect(wal.waiting()).toEqual({ events: 5, bytes: 20, oldestAt: 5 })
    await wal.ack(batch)
    await wal.ack(batch)
    expect(wal.waiting()).toEqual({ events: 3, bytes: 10, oldestAt: 6 })
  })

  it('never gives two batches one id, not even from two logs', async () => {
    const ids = new Set<string>()
    for (const wal of [createMemoryWal(), createMemoryWal()]) {
      for (let i = 0; i < 3; i++) {
        await wal.append(frame(1, 10))
        ids.add((await wal.next(bounds))!.id)
      }
    }
    expect(ids.size).toBe(6)
  })
})
