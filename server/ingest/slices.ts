import { createFairQueue } from './fair-queue.ts'

/** Work on the loop that answers everybody, so much in each of its turns. */
export interface Slices {
  /** At once, or when this turn's share is used up in one of the next, one of each lane after another. Throws what the work throws. */
  run<T>(lane: unknown, work: () => T): T | Promise<T>
  /** The same for work in steps of well below a ms, which may take several turns. */
  runSteps<T>(lane: unknown, steps: Generator<void, T>): Promise<T>
}

/**
 * Between two turns of the loop everybody else's bytes are read and answered. What there is to do in one turn comes from as
 * many connections as are ready, so that without a share of it hundreds of posts would be worked on before the next
 * connection is looked at.
 */
export function createSlices(
  sliceMs: number,
  { now = () => performance.now(), nextTurn = setImmediate as (work: () => void) => unknown } = {},
): Slices {
  const waiting = createFairQueue<() => void>()
  let usedMs = 0
  let isNextDue = false

  function timed<T>(work: () => T): T {
    const startedAt = now()
    try {
      return work()
    } finally {
      usedMs += now() - startedAt
      if (!isNextDue) {
        isNextDue = true
        nextTurn(begin)
      }
    }
  }

  function begin(): void {
    isNextDue = false
    usedMs = 0
    while (usedMs < sliceMs) {
      const next = waiting.shift()
      if (!next) return
      next()
    }
  }

  function run<T>(lane: unknown, work: () => T): T | Promise<T> {
    if (usedMs < sliceMs && waiting.size === 0) return timed(work)
    return new Promise((resolve, reject) => {
      waiting.push(lane, () => {
        try {
          resolve(timed(work))
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  return {
    run,
    async runSteps(lane, steps) {
      for (;;) {
        const last = await run(lane, () => {
          const endsAt = now() + Math.max(0, sliceMs - usedMs)
          let step = steps.next()
          while (!step.done && now() < endsAt) step = steps.next()
          return step
        })
        if (last.done) return last.value
      }
    },
  }
}
