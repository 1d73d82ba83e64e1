import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { sampleBatch, sampleEvent, sampleSite } from '../sample-events.ts'
import { Lane } from './lane.ts'
import { createSqliteStore } from './store.ts'
import { testFolder } from './test-folder.ts'

const newFolder = testFolder()

describe('lane', () => {
  it('rejects the calls of a thread that ends and gives the next call to a new one', async () => {
    const lane = new Lane({ role: 'writer', path: join(await newFolder(), 'veritas.db') })
    const site = sampleSite()
    const saving = { site, recountUpTo: 0 }
    await lane.call('saveSite', saving)
    // "close" ends the thread; whatever came behind it has no answer.
    const [, behind] = await Promise.allSettled([lane.call('close', null), lane.call('saveSite', saving)])
    expect(behind).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } })
    expect(await lane.call('saveSite', { ...saving, site: { ...site, name: 'Again' } })).toMatchObject({
      name: 'Again',
    })
    await lane.close()
    await expect(lane.call('saveSite', saving)).rejects.toThrow('closed')
  })

  it('comes back when a store that could not be opened can be', async () => {
    const folder = await newFolder()
    const lane = new Lane({ role: 'writer', path: join(folder, 'missing', 'veritas.db') })
    await expect(lane.opened()).rejects.toMatchObject({ code: 'unavailable' })
    await expect(lane.call('saveSite', { site: sampleSite(), recountUpTo: 0 })).rejects.toMatchObject({
      code: 'unavailable',
    })
    await createSqliteStore({ path: join(folder, 'missing', 'veritas.db'), readers: 1 }).then((store) => store.close())
    await sleep(600)
    expect(await lane.call('saveSite', { site: sampleSite(), recountUpTo: 0 })).toMatchObject({ name: 'Shop' })
    await lane.close()
  })

  it('rejects a call that cannot be sent and goes on', async () => {
    const lane = new Lane({ role: 'writer', path: join(await newFolder(), 'veritas.db') })
    await expect(lane.call('saveSite', () => 'no data')).rejects.toThrow()
    expect(await lane.call('saveSite', { site: sampleSite(), recountUpTo: 0 })).toMatchObject({ name: 'Shop' })
    await lane.close()
  })
})

describe('a slow question', () => {
  it('is given up after its time, and others are answered', async () => {
    const path = join(await newFolder(), 'veritas.db')
    const store = await createSqliteStore({ path, readers: 1, readTimeoutMs: 400 })
    const { id: siteId } = await store.saveSite(sampleSite())
    await store.insertBatch(sampleBatch(sampleEvent({ siteId })))
    const ids = Array.from({ length: 1_500_000 }, (_, n) => `session ${n}`)
    const started = Date.now()
    const slow = store.sessions({ siteId, userId: 'lena', limit: 10, ids })
    const waiting = store.totals(siteId)
    await expect(slow).rejects.toThrow('took longer than 0.4 s')
    expect(Date.now() - started).toBeLessThan(60_000)
    // The one behind it waited as long as it may, or got the new thread.
    await waiting.catch((error) => expect(error).toMatchObject({ code: 'unavailable' }))
    await expect.poll(() => store.totals(siteId).catch(() => null)).toMatchObject({ events: 1 })
    await store.close()
    await expect(access(`${path}-wal`)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
