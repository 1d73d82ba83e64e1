import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { AppError } from '../errors.ts'
import { createTelemetry } from '../telemetry/telemetry.ts'
import { prepare } from './preparation.ts'

/** What is waited for comes at once, or late on a busy machine. */
const PATIENCE_MS = 60_000

const { log } = createTelemetry({ logLevel: 'silent' })
const unexpected = (error: unknown) => expect.unreachable(String(error))
const away = new AppError('unavailable', 'away')

describe('work that needs the store', () => {
  it('is done before the start goes on when the store is there', async () => {
    const work = vi.fn(async () => {})
    const preparation = await prepare(work, { log, fail: unexpected })
    preparation.assertDone()
    await sleep(20)
    expect(work).toHaveBeenCalledTimes(1)
    preparation.close()
  })

  it('stops the start when it fails for another reason', async () => {
    const work = () => Promise.reject(new AppError('conflict', 'another zone'))
    await expect(prepare(work, { log, fail: unexpected })).rejects.toMatchObject({ code: 'conflict' })
  })

  it('is done when the store comes, which nothing that depends on it can overtake', async () => {
    let tries = 0
    const work = async () => {
      tries += 1
      if (tries < 3) throw away
    }
    const preparation = await prepare(work, { log, fail: unexpected, retryMs: 5 })
    expect(() => preparation.assertDone()).toThrow(expect.objectContaining({ code: 'unavailable' }))
    await vi.waitFor(() => preparation.assertDone(), PATIENCE_MS)
    await sleep(20)
    expect(tries).toBe(3)
    preparation.close()
  })

  it('tells when it fails later, once', async () => {
    let tries = 0
    const fail = vi.fn()
    const work = () => {
      tries += 1
      return Promise.reject(tries === 1 ? away : new AppError('conflict', 'another zone'))
    }
    const preparation = await prepare(work, { log, fail, retryMs: 5 })
    await vi.waitFor(() => expect(fail).toHaveBeenCalled(), PATIENCE_MS)
    await sleep(20)
    expect(fail).toHaveBeenCalledTimes(1)
    expect(() => preparation.assertDone()).toThrow(expect.objectContaining({ code: 'unavailable' }))
    preparation.close()
  })

  it('is not tried any more after close', async () => {
    const work = vi.fn(() => Promise.reject(away))
    const preparation = await prepare(work, { log, fail: unexpected, retryMs: 5 })
    preparation.close()
    const { length } = work.mock.calls
    await sleep(30)
    expect(work.mock.calls.length).toBeLessThanOrEqual(length + 1)
  })
})
