import { AppError } from '../../errors.ts'

const STEPS = 10

export function slowError(timeoutMs: number): AppError {
  return new AppError(
    'unavailable',
    `The store took longer than ${timeoutMs / 1000} s to answer; ask for less at once.`,
    { isForClients: true },
  )
}

/**
 * Calls back once it has waited that long; returns how to stop waiting. Time in which this process stood still, as on a
 * machine that was paused, counts for one step of ten at most: nobody could have answered.
 */
export function afterWaiting(waitMs: number, onLate: () => void): () => void {
  let left = STEPS
  const timer = setInterval(() => {
    left -= 1
    if (left > 0) return
    clearInterval(timer)
    onLate()
  }, waitMs / STEPS)
  return () => clearInterval(timer)
}
