import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { findLivingOwner } from './living-owner.ts'
import type { ProcessFacts } from './owner.ts'
import { createSlots, type Slots } from './slots.ts'

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

const here: ProcessFacts = {
  self: () => ({ pid: 1, startedAt: '1', bootId: 'boot', pidSpace: 'here' }),
  startOf: (pid) => (pid === 7 ? '1' : undefined),
}
const owned = (pid: number, pidSpace: string): ProcessFacts => ({
  ...here,
  self: () => ({ pid, startedAt: '1', bootId: 'boot', pidSpace }),
})

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'veritas-owner-'))
  cleanUp.push(() => rmSync(dir, { recursive: true }))
  return dir
}

async function hold(dir: string, facts: ProcessFacts, heartbeatMs: number): Promise<Slots> {
  const slots = createSlots({ dir, facts, heartbeatMs, onLost() {} })
  cleanUp.push(() => slots.close())
  await slots.claim(async () => true)
  return slots
}

it('finds a process of its own machine by its pid, and none that is gone', async () => {
  expect(await findLivingOwner(join(tempDir(), 'none'), { facts: here })).toBeNull()
  const dir = tempDir()
  await hold(dir, owned(8, 'here'), 2 ** 31 - 1)
  expect(await findLivingOwner(dir, { facts: here })).toBeNull()
  await hold(dir, owned(7, 'here'), 2 ** 31 - 1)
  expect(await findLivingOwner(dir, { facts: here })).toEqual({ pid: 7 })
})

it('finds a process of another container by its heartbeat, until it is stopped', async () => {
  const dir = tempDir()
  const slots = await hold(dir, owned(1, 'elsewhere'), 20)
  // However late a beat of a busy machine comes.
  expect(await findLivingOwner(dir, { facts: here, silentMs: 60_000 })).toEqual({ pid: 1 })
  await slots.close()
  expect(await findLivingOwner(dir, { facts: here, silentMs: 60_000 })).toBeNull()
})

it('takes a process of another container for gone after a silence, and a lock that cannot be read for one of those', async () => {
  const dir = tempDir()
  await hold(dir, owned(1, 'elsewhere'), 2 ** 31 - 1)
  writeFileSync(join(dir, '0', 'lock-1'), '')
  const startedAt = performance.now()
  expect(await findLivingOwner(dir, { facts: here, silentMs: 300 })).toBeNull()
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(300)
})
