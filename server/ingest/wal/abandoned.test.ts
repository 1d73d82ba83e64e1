import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it, vi } from 'vitest'
import { watchAbandoned } from './abandoned.ts'
import { type Owner, processFacts } from './owner.ts'

const PATIENCE_MS = 60_000
const cleanUp: (() => unknown)[] = []
afterEach(() => {
  for (const step of cleanUp.splice(0).reverse()) step()
})

/** A slot with events, and the last word of its owner. */
function slotOf(owner: Owner | { released: true }) {
  const dir = mkdtempSync(join(tmpdir(), 'veritas-abandoned-'))
  cleanUp.push(() => rmSync(dir, { recursive: true }))
  const folder = join(dir, '0')
  mkdirSync(folder)
  const tell = (events: number) =>
    writeFileSync(join(folder, 'waiting.json'), JSON.stringify({ events, oldestAt: events === 0 ? null : 5 }))
  tell(7)
  const lock = join(folder, 'lock-3')
  writeFileSync(lock, JSON.stringify(owner))
  writeFileSync(join(folder, 'lock-2'), JSON.stringify(processFacts.self()))
  return { dir, tell, beat: (at: number) => utimesSync(lock, at, at) }
}

function watch(dir: string, options: Parameters<typeof watchAbandoned>[1]) {
  const abandoned = watchAbandoned(dir, { lookMs: 5, ...options })
  cleanUp.push(abandoned.close)
  return abandoned
}

it.each([
  ['has ended', { ...processFacts.self(), startedAt: '1' }],
  ['has given it up', { released: true as const }],
])('tells of what waits in the log of one that %s, until it is taken over', async (_, owner) => {
  const { dir, tell } = slotOf(owner)
  const abandoned = watch(dir, { deadMs: 20, silentMs: PATIENCE_MS })
  expect(abandoned.events()).toBe(0)
  await vi.waitFor(() => expect(abandoned.events()).toBe(7), PATIENCE_MS)
  tell(0)
  await vi.waitFor(() => expect(abandoned.events()).toBe(0), PATIENCE_MS)
})

it('says nothing of one that lives, nor of one of another container that is heard of', async () => {
  for (const owner of [processFacts.self(), { ...processFacts.self(), pidSpace: 'another' }]) {
    const { dir, beat } = slotOf(owner)
    const abandoned = watch(dir, { deadMs: 0, silentMs: PATIENCE_MS })
    for (let n = 0; n < 20; n++) {
      beat(1000 + n)
      await sleep(5)
      expect(abandoned.events()).toBe(0)
    }
  }
})

it('tells of one of another container that is silent', async () => {
  const { dir } = slotOf({ ...processFacts.self(), pidSpace: 'another' })
  const abandoned = watch(dir, { deadMs: PATIENCE_MS, silentMs: 30 })
  await vi.waitFor(() => expect(abandoned.events()).toBe(7), PATIENCE_MS)
})
