import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sampleEvent } from '../store/sample-events.ts'
import { createConflicts } from './conflicts.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'veritas-conflicts-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('conflicts', () => {
  it('keeps the last ones in bounded room', async () => {
    const conflicts = createConflicts({ dir, maxBytes: 4000 })
    expect(await conflicts.list(10)).toEqual([])
    for (let n = 0; n < 200; n++) await conflicts.add([sampleEvent({ siteId: 's', eventId: `e${n}` })], n)
    const size = readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0)
    expect(size).toBeLessThan(2 * 5000)
    const last = await conflicts.list(10)
    expect(last.map(({ event }) => event.eventId)).toEqual(Array.from({ length: 10 }, (_, n) => `e${190 + n}`))
    expect(last.at(-1)?.at).toBe(199)
  })

  it('steps over a line that was cut', async () => {
    const conflicts = createConflicts({ dir })
    await conflicts.add([sampleEvent({ siteId: 's', eventId: 'a' })], 1)
    appendFileSync(join(dir, 'conflicts.jsonl'), '{"at":2,"ev\n')
    await conflicts.add([sampleEvent({ siteId: 's', eventId: 'b' })], 3)
    expect((await conflicts.list(10)).map(({ event }) => event.eventId)).toEqual(['a', 'b'])
  })

  it('tells of what cannot be written, and holds up nobody', async () => {
    writeFileSync(join(dir, 'file'), '')
    const onFailure = vi.fn()
    const conflicts = createConflicts({ dir: join(dir, 'file'), onFailure })
    await conflicts.add([sampleEvent({ siteId: 's' })], 1)
    expect(onFailure).toHaveBeenCalledOnce()
  })
})
