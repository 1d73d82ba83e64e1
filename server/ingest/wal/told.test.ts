import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as aTurn, setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openDiskWal } from './disk.ts'
import { createReadingWal } from './reading.ts'
import { createListener, createTeller, TELL_MS } from './told.ts'
import type { Wal } from './wal.ts'

/** What is waited for comes at once, or late on a busy machine. */
const PATIENCE_MS = 60_000

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'veritas-told-'))
  cleanUp.push(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function openWal(dir: string): Promise<Wal> {
  return openDiskWal({ dir, ackLevel: 'fsync', segmentBytes: 64 * 1024, switchBytes: 1e9, report: () => {} })
}

const frame = (receivedAt: number) => ({ receivedAt, events: 3, payload: Buffer.from('x') })

describe('what processes tell each other of their logs', () => {
  it('is there at once, then again no sooner than TELL_MS later, and ends with the last state', async () => {
    // The time is turned by hand; files take what they take.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    cleanUp.push(() => vi.useRealTimers())
    const folder = tempDir()
    const state = { events: 1, oldestAt: 10 as number | null }
    const teller = createTeller(folder, () => state)
    const read = () => JSON.parse(readFileSync(join(folder, 'waiting.json'), 'utf8')) as typeof state
    const untilIn = async (events: number) => {
      while (!existsSync(join(folder, 'waiting.json')) || read().events !== events) await aTurn()
    }
    await untilIn(1)
    expect(read()).toEqual({ events: 1, oldestAt: 10 })
    for (let events = 2; events <= 50; events++) {
      state.events = events
      teller.changed()
    }
    vi.advanceTimersByTime(TELL_MS - 1)
    await sleep(50)
    expect(read().events).toBe(1)
    vi.advanceTimersByTime(1)
    await untilIn(50)
    expect(read()).toEqual({ events: 50, oldestAt: 10 })
    Object.assign(state, { events: 0, oldestAt: null })
    await teller.close()
    expect(readdirSync(folder)).toEqual([])
  })

  it('is summed over all slots but one’s own', () => {
    const dir = tempDir()
    const tell = (slot: string, text: string) => {
      mkdirSync(join(dir, slot))
      writeFileSync(join(dir, slot, 'waiting.json'), text)
    }
    expect(createListener(dir, () => false)(0)).toBeNull()
    tell('0', '{"events":5,"oldestAt":70}')
    tell('1', '{"events":7,"oldestAt":60}')
    tell('2', '{"events":0,"oldestAt":null}')
    tell('3', 'half a fi')
    mkdirSync(join(dir, '4'))
    expect(createListener(dir, () => false)(0)).toEqual({ events: 12, oldestAt: 60 })
    expect(createListener(dir, (slot) => slot === 1)(0)).toEqual({ events: 5, oldestAt: 70 })
    expect(createListener(dir, (slot) => slot !== 2)(0)).toEqual({ events: 0, oldestAt: null })
    expect(createListener(join(dir, 'nowhere'), () => false)(0)).toBeNull()
  })

  it('is not read for every question, and is read again after a moment', () => {
    const dir = tempDir()
    mkdirSync(join(dir, '0'))
    const listen = createListener(dir, () => false)
    expect(listen(1000)).toBeNull()
    writeFileSync(join(dir, '0', 'waiting.json'), '{"events":5,"oldestAt":70}')
    expect(listen(1001)).toBeNull()
    expect(listen(1200)).toEqual({ events: 5, oldestAt: 70 })
  })

  it('reaches another process and one that only reads, until the events are stored', async () => {
    const dir = tempDir()
    const [one, other] = [await openWal(dir), await openWal(dir)]
    cleanUp.push(
      () => one.close(),
      () => other.close(),
    )
    const reading = createReadingWal(dir, 'fsync')
    await one.append(frame(100))
    await one.append(frame(200))
    let now = 1e6
    const heard = (wal: Wal) => {
      now += 1000
      return wal.elsewhere(now)
    }
    await vi.waitFor(() => expect(heard(other)).toEqual({ events: 6, oldestAt: 100 }), PATIENCE_MS)
    expect(heard(reading)).toEqual({ events: 6, oldestAt: 100 })
    expect(heard(one)).toEqual({ events: 0, oldestAt: null })
    for (
      let batch = await one.next({ events: 9, bytes: 1e6 });
      batch;
      batch = await one.next({ events: 9, bytes: 1e6 })
    )
      await one.ack(batch)
    await vi.waitFor(() => expect(heard(reading)).toEqual({ events: 0, oldestAt: null }), PATIENCE_MS)
  })

  it('still counts what a stopped process left in its log, until another adopts it', async () => {
    const dir = tempDir()
    const first = await openWal(dir)
    await first.append(frame(100))
    await first.close()
    expect(createReadingWal(dir, 'fsync').elsewhere(0)).toEqual({ events: 3, oldestAt: 100 })
    const second = await openWal(dir)
    cleanUp.push(() => second.close())
    expect(second.waiting().events).toBe(3)
    expect(second.elsewhere(0)).toBeNull()
  })

  it('takes no events where they are only read', async () => {
    await expect(createReadingWal(tempDir(), 'fsync').append(frame(1))).rejects.toMatchObject({ code: 'unavailable' })
  })
})
