import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createChanges } from './changes.ts'

describe('changes', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('are looked for once for all who wait', async () => {
    const written = vi.fn(async () => 'a')
    const changes = createChanges({ written, lookMs: 300 })
    const waiting = Array.from({ length: 50 }, () => changes.next())
    expect(written).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(300)
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['a']))
    expect(written).toHaveBeenCalledTimes(1)
  })

  it('are a mark that is looked up again only after a while, and at once after a failure', async () => {
    const written = vi.fn(async () => 'a')
    const changes = createChanges({ written, lookMs: 300 })
    expect(await changes.mark()).toBe('a')
    written.mockResolvedValueOnce('b').mockRejectedValueOnce(new Error('away'))
    expect(await changes.mark()).toBe('a')
    await vi.advanceTimersByTimeAsync(301)
    expect(await changes.mark()).toBe('b')
    await vi.advanceTimersByTimeAsync(301)
    await expect(changes.mark()).rejects.toThrow('away')
    expect(await changes.mark()).toBe('a')
  })

  it('let nobody wait when the server ends', async () => {
    const changes = createChanges({ written: async () => 'a', lookMs: 300 })
    const waiting = changes.next()
    changes.close()
    expect(await waiting).toBe('a')
    expect(changes.isEnding).toBe(true)
  })
})
