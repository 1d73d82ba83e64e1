import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { afterWaiting } from './patience.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('patience', () => {
  it('ends after its time, once', () => {
    const onLate = vi.fn()
    afterWaiting(5000, onLate)
    vi.advanceTimersByTime(4999)
    expect(onLate).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(onLate).toHaveBeenCalledOnce()
    vi.advanceTimersByTime(60_000)
    expect(onLate).toHaveBeenCalledOnce()
  })

  it('does not end once the answer came', () => {
    const onLate = vi.fn()
    const stop = afterWaiting(5000, onLate)
    vi.advanceTimersByTime(4000)
    stop()
    vi.advanceTimersByTime(60_000)
    expect(onLate).not.toHaveBeenCalled()
  })

  it('is not used up by a process that stands still', () => {
    vi.useRealTimers()
    const onLate = vi.fn()
    const stop = afterWaiting(100, onLate)
    const until = performance.now() + 300
    while (performance.now() < until);
    return new Promise<void>((resolve) => setTimeout(resolve, 1)).then(() => {
      expect(onLate).not.toHaveBeenCalled()
      stop()
    })
  })
})
