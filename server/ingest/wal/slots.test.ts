import { cpSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Owner, ownerState, type ProcessFacts, processFacts } from './owner.ts'
import { createSlots, type Slots, type SlotsOptions } from './slots.ts'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'veritas-slots-'))
  cleanUp.push(() => rmSync(dir, { recursive: true }))
  return dir
}

function slotsIn(dir: string, options: Partial<SlotsOptions> = {}): Slots {
  const slots = createSlots({ dir, onLost: () => {}, ...options })
  cleanUp.push(() => slots.close())
  return slots
}

/** A machine on which only the given processes live. */
function machine(live: Record<number, string>, self: Partial<Owner> = {}): ProcessFacts {
  const me: Owner = { pid: 1, startedAt: '100', bootId: 'boot', pidSpace: 'host', ...self }
  return { self: () => me, startOf: (pid) => live[pid] }
}

const any = async () => true

/** However late the next heartbeat comes, it tells; those after it do not tell again. */
async function isLostOnce(lost: string[], folder: string): Promise<void> {
  await vi.waitFor(() => expect(lost).toEqual([folder]), 60_000)
  await sleep(50)
  expect(lost).toEqual([folder])
}

describe('owner', () => {
  const owner: Owner = { pid: 7, startedAt: '50', bootId: 'boot', pidSpace: 'host' }

  it('is alive while its process is, by pid and start', () => {
    expect(ownerState(owner, machine({ 7: '50' }))).toBe('alive')
  })
  it('is dead without a process', () => {
    expect(ownerState(owner, machine({}))).toBe('dead')
  })
  it('is dead when its pid was given out again', () => {
    expect(ownerState(owner, machine({ 7: '51' }))).toBe('dead')
  })
  it('is unknown in another container or after another boot', () => {
    expect(ownerState(owner, machine({ 7: '50' }, { pidSpace: 'container' }))).toBe('unknown')
    expect(ownerState(owner, machine({ 7: '50' }, { bootId: 'later' }))).toBe('unknown')
  })
  it('knows this very process', () => {
    expect(ownerState(processFacts.self(), processFacts)).toBe('alive')
    expect(processFacts.startOf(2 ** 22 + 1)).toBeUndefined()
  })
})

describe('slots', () => {
  it('gives each of two processes a slot of its own', async () => {
    const dir = tempDir()
    const first = await slotsIn(dir).claim(any)
    const second = await slotsIn(dir).claim(any)
    expect([first?.number, second?.number]).toEqual([0, 1])
  })

  it('gives a dead owner’s slot to exactly one of many that race for it', async () => {
    for (let round = 0; round < 10; round++) {
      const dir = tempDir()
      const dead = slotsIn(dir, { facts: machine({}, { pid: 99 }) })
      const lost = await dead.claim(any)
      const racers = Array.from({ length: 8 }, () => slotsIn(dir, { facts: machine({ 1: '100' }) }))
      const claims = await Promise.all(racers.map((slots) => slots.claim(any)))
      const numbers = claims.map((slot) => slot?.number)
      expect(new Set(numbers).size).toBe(8)
      expect(claims.find((slot) => slot?.number === 0)?.epoch).toBe(lost!.epoch + 1)
    }
  })

  it('gives a released slot out again, with a larger epoch', async () => {
    const dir = tempDir()
    const slots = slotsIn(dir)
    const first = await slots.claim(any)
    await first!.release()
    expect(await slotsIn(dir).claim(any)).toMatchObject({ number: 0, epoch: first!.epoch + 1 })
    expect(await readdir(first!.folder)).toEqual([`lock-${first!.epoch + 1}`])
  })

  it('passes over slots that are not wanted', async () => {
    const slots = slotsIn(tempDir())
    expect((await slots.claim(async (folder) => folder.endsWith('3')))?.number).toBe(3)
    expect(await slots.claim(async () => false)).toBeNull()
  })

  it('makes no folder for a slot that it does not take', async () => {
    const dir = tempDir()
    expect(await slotsIn(dir).claim(async () => false)).toBeNull()
    expect(await readdir(dir)).toEqual([])
  })

  it('waits for a silence before it takes the slot of another container, also when clocks jump', async () => {
    const dir = tempDir()
    // The only heartbeats are those of this test.
    const never = 2 ** 31 - 1
    const other = slotsIn(dir, { facts: machine({ 1: '100' }, { pidSpace: 'container' }), heartbeatMs: never })
    const theirs = await other.claim(any)
    const lock = join(theirs!.folder, `lock-${theirs!.epoch}`)
    const slots = slotsIn(dir, { facts: machine({ 1: '100' }), silentMs: 100 })
    const patient = slotsIn(dir, { facts: machine({ 1: '100' }), silentMs: 3_600_000 })
    const zero = async (folder: string) => folder.endsWith('/0')
    for (let i = 0; i < 8; i++) {
      utimesSync(lock, new Date(), new Date())
      expect(await slots.claim(zero)).toBeNull()
      await sleep(25)
    }
    const longAgo = new Date(Date.now() - 3_600_000)
    utimesSync(lock, longAgo, longAgo)
    expect(await slots.claim(zero)).toBeNull()
    await sleep(130)
    for (let i = 0; i < 3; i++) expect(await patient.claim(zero)).toBeNull()
    expect((await slots.claim(zero))?.number).toBe(0)
  })

  it('tells a frozen owner that its slot was taken', async () => {
    const dir = tempDir()
    const lost: string[] = []
    const slots = slotsIn(dir, { onLost: (folder) => lost.push(folder), heartbeatMs: 10 })
    const slot = await slots.claim(any)
    writeFileSync(join(slot!.folder, `lock-${slot!.epoch + 1}`), '{}')
    await isLostOnce(lost, slot!.folder)
  })

  it('knows at once that its lock was removed, before any heartbeat', async () => {
    const dir = tempDir()
    const lost: string[] = []
    const slots = slotsIn(dir, { onLost: (folder) => lost.push(folder), heartbeatMs: 2 ** 31 - 1 })
    const slot = await slots.claim(any)
    expect(await slot!.isHeld()).toBe(true)
    rmSync(join(slot!.folder, `lock-${slot!.epoch}`))
    expect(await slot!.isHeld()).toBe(false)
    expect(await slot!.isHeld()).toBe(false)
    expect(lost).toEqual([slot!.folder])
  })

  it('knows at once that its folder was moved away, before any heartbeat, also where a copy is in its place', async () => {
    const parent = tempDir()
    for (const isCopied of [true, false]) {
      const dir = join(parent, `wal-${isCopied}`)
      const lost: string[] = []
      const slots = slotsIn(dir, { onLost: (folder) => lost.push(folder), heartbeatMs: 2 ** 31 - 1 })
      const slot = await slots.claim(any)
      expect(await slot!.isHeld()).toBe(true)
      renameSync(dir, `${dir}-aside`)
      if (isCopied) cpSync(`${dir}-aside`, dir, { recursive: true })
      expect(await slot!.isHeld()).toBe(false)
      expect(lost).toEqual([slot!.folder])
    }
  })

  it('looks at the folder itself after a while in which it was suspended, where its own lock looks as it was', async () => {
    const dir = tempDir()
    const lost: string[] = []
    const slots = slotsIn(dir, { onLost: (folder) => lost.push(folder), heartbeatMs: 2 ** 31 - 1, silentMs: 20_000 })
    const slot = await slots.claim(any)
    writeFileSync(join(slot!.folder, `lock-${slot!.epoch + 1}`), '{}')
    expect(await slot!.isHeld()).toBe(true)
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      vi.setSystemTime(Date.now() + 10_001)
      expect(await slot!.isHeld()).toBe(false)
    } finally {
      vi.useRealTimers()
    }
    expect(lost).toEqual([slot!.folder])
  })

  it('tells an owner that its folder was removed: nothing it writes is on any disk', async () => {
    const lost: string[] = []
    const slots = slotsIn(tempDir(), { onLost: (folder) => lost.push(folder), heartbeatMs: 10 })
    const slot = await slots.claim(any)
    rmSync(slot!.folder, { recursive: true })
    await isLostOnce(lost, slot!.folder)
  })
})
